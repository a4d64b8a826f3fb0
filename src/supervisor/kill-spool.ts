import { closeSync, constants, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import type { AuditEntry } from '../audit/record.ts';
import { ensureError, systemCode } from '../errors/workflow-error.ts';
import type { SupervisorContext } from './context.ts';

/**
 * Records that must not hold up what they speak of: a stop or kill goes on while the database is full, locked or
 * slow. Such a record is written to a plain file then, and chained into the audit later.
 */
export interface KillSpool {
  /** Records in the database, or in the spool when that fails. Never rejects. */
  record(entry: AuditEntry): Promise<void>;
  /** Chains what is in the spool; call it when the database is known to work. */
  drain(): Promise<void>;
}

export function openKillSpool(context: SupervisorContext): KillSpool {
  const { store, home, log } = context;
  return {
    record: async (entry) => {
      try {
        await store.call('audit.append', { entries: [entry] });
      } catch (error) {
        log.error('a record goes to the spool: the database cannot take it', {
          cause: ensureError(error).message,
        });
        spool(home.spoolFile, entry, context);
      }
    },
    drain: async () => {
      const entries = readSpool(home.spoolFile);
      if (entries.length === 0) return;
      // In one transaction; a crash before the file is gone chains them twice rather than never.
      await store.call('audit.append', {
        entries: entries.map((entry) => ({ ...entry, data: { ...entry.data, spooled: true } })),
      });
      rmSync(home.spoolFile, { force: true });
    },
  };
}

function spool(file: string, entry: AuditEntry, context: SupervisorContext): void {
  try {
    const descriptor = openSync(
      file,
      constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
      0o600,
    );
    try {
      writeSync(descriptor, `${JSON.stringify(entry)}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    context.log.error('a record is lost: neither database nor spool can be written', {
      type: entry.type,
      instance: entry.instance,
      cause: ensureError(error).message,
    });
  }
}

/** Whole lines only: the last one may be cut by a crash. */
function readSpool(file: string): AuditEntry[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line) as AuditEntry);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
