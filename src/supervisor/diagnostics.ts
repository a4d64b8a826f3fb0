import { join } from 'node:path';
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
export async function openDiagnostics(folder: string, maxFileBytes = MAX_FILE_BYTES): Promise<Diagnostics> {
  const { default: winston } = await import('winston');
  // Not winston's own file: after one failed write (a full disk) that writes no more, keeps every further line in
  // memory, and never says that it has closed.
  const stream = openRotatedFile({
    base: join(folder, 'supervisor'),
    maxBytes: maxFileBytes,
    maxFiles: MAX_FILES,
    lossLine: (count, why) =>
      `${JSON.stringify({ level: 'warn', message: `${count} lines of this log could not be written: ${why}`, timestamp: new Date().toISOString() })}\n`,
  });
  const transport = new winston.transports.Stream({ stream, eol: '\n' });
  const logger = winston.createLogger({
    level: 'info',
    format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
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
