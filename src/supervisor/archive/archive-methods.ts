import type { UpkeepMethods } from '../../protocol/upkeep-control.ts';
import type { UpkeepSettings } from '../../protocol/upkeep-settings.ts';
import type { SupervisorContext } from '../context.ts';
import type { ControlHandlers } from '../control-server.ts';
import { personOf } from '../definitions/run-workflow.ts';
import type { Archive } from './archive.ts';
import { archiveDocument, archiveFile, findArchive, listArchives } from './archive-list.ts';
import { checkRecorded } from './archive-record.ts';
import type { Retention } from './archive-retention.ts';
import { unpackInstance } from './archive-unpack.ts';

type ArchiveMethod = Exclude<keyof UpkeepMethods, 'supervisor.backup'>;

/** The methods that speak of archived instances. */
export function archiveMethods(
  context: SupervisorContext,
  archive: Archive,
  settings: UpkeepSettings,
): Pick<ControlHandlers, ArchiveMethod> {
  return {
    'archive.list': async () => {
      const found = await listArchives(context);
      // One with a row is being packed or put back, or a crash left it.
      const here = new Set(await context.store.call('archive.known', { ids: found.map(({ id }) => id) }));
      return found.filter(({ id }) => !here.has(id));
    },
    'archive.show': async ({ id: given }) => {
      const id = findArchive(context, given);
      const file = archiveFile(context, id);
      await checkRecorded(context.store, id, file);
      const { header, rows, events, parts } = await unpackInstance(file, null);
      const { reason = null } = rows.instance;
      return {
        ...archiveDocument(file, header),
        reason: reason === null ? null : String(reason),
        events: events.length,
        parts,
      };
    },
    'archive.restore': ({ id, caller }) => archive.restore(id, personOf(caller)),
    'archive.run': ({ before, caller }) =>
      archive.run(before ?? ageOf(settings.archiveAfterMs, context.now()) ?? 0, personOf(caller)),
    'archive.prune': async ({ before, count, bytes, caller }) => {
      const all = retentionOf(settings, context.now());
      const isAsked = before !== null || count !== null || bytes !== null;
      return { removed: await archive.prune(isAsked ? { before, count, bytes } : all, personOf(caller)) };
    },
  };
}

/** The time before which something is older than an age. */
export function ageOf(ms: number | null, now: number): number | null {
  return ms === null ? null : now - ms;
}

export function retentionOf({ keepMs, keepCount, keepBytes }: UpkeepSettings, now: number): Retention {
  return { before: ageOf(keepMs, now), count: keepCount, bytes: keepBytes };
}
