import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../audit/canonical.ts';
import { type AuditEntry, SUPERVISOR } from '../../audit/record.ts';
import { ensureError, systemCode } from '../../errors/workflow-error.ts';
import { KILL_MODES } from '../../guard/kill/latch-files.ts';
import { syncFolder } from '../../protocol/durable-file.ts';
import { failpoint } from '../../protocol/failpoint.ts';
import type { LatchRow } from '../../store/tables/latch-rows.ts';
import type { SupervisorGround } from '../ground.ts';
import { readSpool, type SpoolContent } from '../spool-file.ts';

/**
 * Records that must not hold up what they speak of: a stop or kill goes on while the database is full, locked or
 * slow. Such a record is written to a plain file then, and chained into the audit later.
 */
export interface KillSpool {
  /** Records in the database, or in the spool when that fails. Never rejects. */
  record(entry: AuditEntry): Promise<void>;
  /** Puts a record that the database has not taken into the spool; false when that takes none either. Never throws. */
  keep(entry: AuditEntry): boolean;
  /**
   * Chains what is in the spool, each record once, wherever a crash falls; call it when the database is known to
   * work. Never rejects: what cannot be chained is logged and kept for the next time.
   */
  drain(): Promise<void>;
}

/** A spool that is being chained, by the name that the database remembers with its records. */
const BATCH = /^spool-([0-9a-f-]{36})\.jsonl$/;

export function openKillSpool(context: SupervisorGround): KillSpool {
  const { store, home, log } = context;

  const chain = async (batch: string): Promise<void> => {
    const file = join(home.folder, `spool-${batch}.jsonl`);
    const content = readSpool(readFileSync(file, { flag: constants.O_RDONLY | constants.O_NOFOLLOW }));
    const records = content.records.map((entry) => ({ ...entry, data: { ...entry.data, spooled: true } }));
    const rejection = content.rejectedCount === 0 ? [] : [keepRejected(context, batch, content)];
    failpoint('supervisor.spool_rejected');
    await store.call('audit.append_once', {
      batch,
      entries: [...records, ...rejection],
      // A record without its row would be taken for a switch that somebody removed.
      latches: content.records.flatMap((entry) => latchOf(entry) ?? []),
    });
    failpoint('supervisor.spool_chained');
    rmSync(file);
    syncFolder(home.folder);
  };

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
    keep: (entry) => spool(home.spoolFile, entry, context),
    drain: async () => {
      try {
        takeSpool(context);
        failpoint('supervisor.spool_taken');
        for (const name of readdirSync(home.folder)) {
          const batch = BATCH.exec(name)?.[1];
          if (batch !== undefined) await chain(batch);
        }
      } catch (error) {
        log.error('the spool cannot be chained now, it is kept for the next start', {
          cause: ensureError(error).message,
        });
      }
    },
  };
}

/** The switch that a record says was tripped, or null. */
function latchOf({ type, at, data }: AuditEntry): LatchRow | null {
  if (type !== 'kill.tripped') return null;
  const { scope, reason, by } = data;
  const mode = KILL_MODES.find((known) => known === data['mode']);
  if (typeof scope !== 'string' || typeof reason !== 'string' || typeof by !== 'string') return null;
  return mode === undefined ? null : { scope, mode, reason, by, at };
}

/** Gives the spool a name that no other will have: what is recorded from now on is no part of it. */
function takeSpool({ home }: SupervisorGround): void {
  try {
    renameSync(home.spoolFile, join(home.folder, `spool-${randomUUID()}.jsonl`));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  // The database must not know a name that a power cut takes back.
  syncFolder(home.folder);
}

/** Writes what is no record to a file of its own, the same one whenever it is done again, and says so. */
function keepRejected(context: SupervisorGround, batch: string, content: SpoolContent): AuditEntry {
  const { rejected, rejectedCount: count } = content;
  const file = `spool.rejected-${batch}.jsonl`;
  const descriptor = openSync(
    join(context.home.folder, file),
    constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    writeWhole(descriptor, rejected);
  } finally {
    closeSync(descriptor);
  }
  syncFolder(context.home.folder);
  const data = { count, bytes: rejected.length, sha256: sha256(rejected), file };
  context.log.error('lines of the spool are no records: they are kept aside', data);
  return { type: 'spool.rejected', at: context.now(), actor: SUPERVISOR, instance: null, data };
}

function spool(file: string, entry: AuditEntry, context: SupervisorGround): boolean {
  try {
    const descriptor = openSync(
      file,
      constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
      0o600,
    );
    try {
      // On a line of its own: a crash may have cut the one before.
      writeWhole(descriptor, Buffer.from(`\n${JSON.stringify(entry)}\n`));
    } finally {
      closeSync(descriptor);
    }
    return true;
  } catch (error) {
    context.log.error('a record is lost: neither database nor spool can be written', {
      type: entry.type,
      instance: entry.instance,
      cause: ensureError(error).message,
    });
    return false;
  }
}

/** All or nothing: half a line would spoil the next record as well. */
function writeWhole(descriptor: number, bytes: Buffer): void {
  const { size } = fstatSync(descriptor);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
    fsyncSync(descriptor);
  } catch (error) {
    ftruncateSync(descriptor, size);
    throw error;
  }
}
