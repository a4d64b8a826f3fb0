import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SUPERVISOR } from '../../audit/record.ts';
import { BACKUP_EVERY_MS } from '../../protocol/backups.ts';
import { makePrivate } from '../../protocol/durable.ts';
import type { UpkeepSettings } from '../../protocol/upkeep-settings.ts';
import type { Archive } from '../archive/archive.ts';
import { ageOf, retentionOf } from '../archive/archive-methods.ts';
import { pruneAudit } from '../audit/audit-methods.ts';
import type { SupervisorContext } from '../context.ts';
import { type AgeClock, openAgeClock } from './age-clock.ts';
import type { Backups } from './backups.ts';
import { type Chore, createUpkeep, type Upkeep } from './upkeep.ts';

const DAY_MS = 24 * 3600 * 1000;

/** What is done by itself once a day: a backup first, then what removes something. */
export function dailyUpkeep(
  context: SupervisorContext,
  backups: Backups,
  archive: Archive,
  settings: UpkeepSettings,
  monotonic?: () => number,
): Upkeep {
  const ages = openAgeClock(join(context.home.archiveFolder, '.age'), context.now, monotonic);
  return createUpkeep(context, [
    {
      failure: 'the time by which things grow old could not be noted',
      everyMs: 0,
      lastAt: () => 0,
      run: async () => ages.keep(),
    },
    {
      failure: 'the database could not be backed up',
      everyMs: BACKUP_EVERY_MS,
      lastAt: () => backups.lastAt(),
      run: async () => {
        const { file, bytes, took_ms } = await backups.make(null, SUPERVISOR);
        context.log.info('the database is backed up', { file, bytes, took_ms });
      },
    },
    tidying(context, archive, settings, ages),
  ]);
}

function tidying(
  context: SupervisorContext,
  archive: Archive,
  settings: UpkeepSettings,
  ages: AgeClock,
): Chore {
  const { home, store, log, now } = context;
  const note = join(home.archiveFolder, '.last-run');
  return {
    failure: 'the state folder could not be tidied',
    everyMs: DAY_MS,
    lastAt: () => statSync(note, { throwIfNoEntry: false })?.mtimeMs ?? 0,
    run: async () => {
      const before = ageOf(settings.archiveAfterMs, ages.now());
      let stopped: string | null = null;
      if (before !== null) {
        const run = await archive.run(before, SUPERVISOR);
        const { archived, bytes } = run;
        stopped = run.stopped;
        if (archived.length > 0) log.info('ended instances are archived', { count: archived.length, bytes });
        // Nothing asks about fires of that long ago.
        while ((await store.call('fire.prune', { before, at: now() })).count > 0);
      }
      const gone = await archive.prune(retentionOf(settings, ages.now()), SUPERVISOR);
      if (gone.length > 0) log.info('old archives are removed', { count: gone.length });
      const oldest = ageOf(settings.auditMs, ages.now());
      if (oldest !== null) await pruneAudit(context, oldest);
      // Only now: where there is no room to archive, what is removed makes some for the next look.
      if (stopped !== null) throw new Error(stopped);
      makePrivate(home.archiveFolder);
      writeFileSync(note, '');
    },
  };
}
