import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { openJournalStream } from './intake/journal-log.ts';
import { openRotatedFile } from './rotated-file.ts';

/** The diagnostic log of the supervisor. Not the audit: it may be lost, rotated or switched off. */
export interface Diagnostics {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Resolves when everything is written; call it before the process ends, or lines are lost. */
  close(): Promise<void>;
}

const MAX_FILE_BYTES = 5 * 1024 * 1024;
const MAX_FILES = 5;

/** JSON lines to `supervisor.log` in the folder, 5 MiB a file, five files. Lines that find no room are counted. */
export function openDiagnostics(folder: string, maxFileBytes = MAX_FILE_BYTES): Promise<Diagnostics> {
  // Not winston's own file: after one failed write (a full disk) that writes no more, keeps every further line in
  // memory, and never says that it has closed.
  const base = join(folder, 'supervisor');
  return logTo(openRotatedFile({ base, maxBytes: maxFileBytes, maxFiles: MAX_FILES, lossLine }), 'plain');
}

/** The same lines to the journal of systemd, each with its level in front, which the journal takes off again. */
export function openJournalDiagnostics(descriptor: number): Promise<Diagnostics> {
  const loss = (count: number, why: string): string => `<${PRIORITY.warn}>${lossLine(count, why)}`;
  return logTo(openJournalStream(descriptor, loss), 'journal');
}

/** Levels as syslog(3) numbers them. */
const PRIORITY: Readonly<Record<string, number>> = { error: 3, warn: 4, info: 6 };
/** Where winston keeps a finished line. */
const LINE = Symbol.for('message');

async function logTo(stream: Writable, form: 'plain' | 'journal'): Promise<Diagnostics> {
  const { default: winston } = await import('winston');
  const transport = new winston.transports.Stream({ stream, eol: '\n' });
  const { timestamp, json, combine } = winston.format;
  const prefix = winston.format((info) => {
    info[LINE] = `<${PRIORITY[info.level] ?? 6}>${String(info[LINE])}`;
    return info;
  });
  const logger = winston.createLogger({
    level: 'info',
    format: form === 'plain' ? combine(timestamp(), json()) : combine(timestamp(), json(), prefix()),
    transports: [transport],
  });
  return {
    info: (message, fields = {}) => void logger.info(message, fields),
    warn: (message, fields = {}) => void logger.warn(message, fields),
    error: (message, fields = {}) => void logger.error(message, fields),
    close: () =>
      new Promise((resolve) => {
        transport.once('finish', () => resolve());
        logger.end();
      }),
  };
}

function lossLine(count: number, why: string): string {
  const message = `${count} lines of this log could not be written: ${why}`;
  return `${JSON.stringify({ level: 'warn', message, timestamp: new Date().toISOString() })}\n`;
}
