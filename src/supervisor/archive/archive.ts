import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditActor, AuditEntry } from '../../audit/record.ts';
import { ensureError, systemCode, WorkflowError } from '../../errors/workflow-error.ts';
import { makePrivate, syncPath } from '../../protocol/durable.ts';
import { failpoint } from '../../protocol/failpoint.ts';
import { instanceFolder } from '../../protocol/home.ts';
import { namesIn } from '../../protocol/names-in.ts';
import type { ArchiveDocument, ArchiveRun } from '../../protocol/upkeep-control.ts';
import type { Answer } from '../../store/operations.ts';
import type { DueCursor } from '../../store/tables/archive-rows.ts';
import type { SupervisorContext } from '../context.ts';
import type { Fleet } from '../lifecycle/fleet.ts';
import { diskOf, diskReserve } from '../upkeep/disk-guard.ts';
import { folderSize } from '../upkeep/folder-size.ts';
import { archivedIds, archiveFile, findArchive, listArchives } from './archive-list.ts';
import { packInstance, UNPACKED } from './archive-pack.ts';
import { checkRecorded } from './archive-record.ts';
import { beyond, type Retention } from './archive-retention.ts';
import { type Unpacked, unpackInstance } from './archive-unpack.ts';

/** Packs ended instances into files, and brings them back. One thing at a time, the others wait. */
export interface Archive {
  /** Packs those that ended, and whose folder was touched, before a time, the oldest first. */
  run(before: number, actor: AuditActor): Promise<ArchiveRun>;
  /** Removes archives beyond bounds, each with its record. */
  prune(retention: Retention, actor: AuditActor): Promise<ArchiveDocument[]>;
  /** Puts one back as it was; it is not packed again before it is as old once more. */
  restore(given: string, actor: AuditActor): Promise<{ id: string; events: number; files: number }>;
  /** Ends a run behind the instance that it is at. */
  close(): void;
}

/** Instances a question to the database. */
const PAGE = 1000;
/** Of files that are being written; no instance has such a name. */
const UNPACKING = '.unpack-';
/** Of a folder that is being removed, among those of the instances: the archive may lie on another disk. */
const REMOVING = '.remove-';

export function openArchive(context: SupervisorContext, fleet: Pick<Fleet, 'find'>): Archive {
  const { home, store, log } = context;
  const folder = home.archiveFolder;
  let last: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const done = last.then(act);
    last = done.catch(() => undefined);
    return done;
  };
  const record = (type: string, id: string, actor: AuditActor, data: AuditEntry['data']): AuditEntry => ({
    type,
    at: context.now(),
    actor,
    instance: id,
    data,
  });

  /** The bytes of its archive; null when it is not to be packed now. */
  const pack = async (id: string, before: number, actor: AuditActor): Promise<number | null> => {
    const source = instanceFolder(home, id);
    const touched = statSync(source, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const target = archiveFile(context, id);
    // An archive that `mend` could not read is not replaced: its files may be all there is.
    if (fleet.find(id) !== null || touched >= before || existsSync(target)) return null;
    const rows = await store.call('archive.read', { id });
    if (rows === null) return null;
    const { instance } = rows;
    await checkRoom(folder, source);
    const header = {
      v: 1,
      id,
      workflow: String(instance['workflow']),
      version: String(instance['version']),
      status: String(instance['status']),
      created_at: Number(instance['created_at']),
      ended_at: Number(instance['ended_at']),
      archived_at: context.now(),
    } as const;
    const packed = await packInstance(store, { header, rows, folder: source, target });
    const { isRemoved } = await store.call('archive.remove', {
      id,
      incarnation: Number(instance['incarnation']),
      lastSeq: Number(instance['last_seq']),
      audit: record('instance.archived', id, actor, { file: target, ...packed }),
    });
    if (!isRemoved) {
      rmSync(target, { force: true });
      return null;
    }
    failpoint('archive.committed');
    await removeFiles(id);
    return packed.bytes;
  };

  /** All at once, as far as anybody sees: an older database must not find a part of them and take it for the whole. */
  const removeFiles = async (id: string): Promise<void> => {
    const aside = join(home.instancesFolder, `${REMOVING}${id}`);
    try {
      renameSync(instanceFolder(home, id), aside);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return;
      throw error;
    }
    failpoint('archive.removing');
    await rm(aside, { recursive: true, force: true });
  };

  const run = async (before: number, actor: AuditActor): Promise<ArchiveRun> => {
    const done = await packAll(before, actor);
    if (done.archived.length > 0) await sweep();
    return done;
  };

  const sweep = async (): Promise<void> => {
    for (let after: string | null = ''; after !== null && !isClosed; ) {
      const swept: Answer<'archive.sweep'> = await store.call('archive.sweep', { after, at: context.now() });
      after = swept.next;
    }
  };

  const packAll = async (before: number, actor: AuditActor): Promise<ArchiveRun> => {
    const archived: string[] = [];
    let bytes = 0;
    makePrivate(folder);
    await mend();
    for (let from: DueCursor | null = null; ; ) {
      const page: DueCursor[] = await store.call('archive.due', { before, from, limit: PAGE });
      for (const { id } of page) {
        if (isClosed) return { archived, bytes, stopped: 'the supervisor leaves' };
        try {
          const packed = await pack(id, before, actor);
          if (packed === null) continue;
          archived.push(id);
          bytes += packed;
        } catch (error) {
          const { message } = ensureError(error);
          log.error('an instance could not be archived', { instance: id, cause: message });
          // No room now is no room for the next one either; another fault is its own.
          if (isWithoutRoom(error)) return { archived, bytes, stopped: message };
        }
      }
      from = page.at(-1) ?? null;
      if (page.length < PAGE) return { archived, bytes, stopped: null };
    }
  };

  const prune = async (retention: Retention, actor: AuditActor): Promise<ArchiveDocument[]> => {
    await mend();
    const gone = beyond(await listArchives(context), retention);
    for (const { id, file, bytes, ended_at } of gone) {
      const data = { file, bytes, ended_at };
      await store.call('audit.append', { entries: [record('archive.pruned', id, actor, data)] });
      rmSync(file, { force: true });
    }
    return gone;
  };

  const restore: Archive['restore'] = async (given, actor) => {
    await mend();
    const id = findArchive(context, given);
    const file = archiveFile(context, id);
    await checkRecorded(store, id, file);
    const { rows, events, parts } = await unpackFiles(id);
    failpoint('archive.unpacked');
    try {
      const audit = record('instance.unarchived', id, actor, { file });
      await store.call('archive.put_back', { rows, events, audit });
    } catch (error) {
      await removeFiles(id);
      throw error;
    }
    failpoint('archive.put_back');
    rmSync(file, { force: true });
    return { id, events: events.length, files: parts.filter(({ part }) => part.startsWith('file:')).length };
  };

  /** Makes the folder of an instance from its archive, all at once. */
  const unpackFiles = async (id: string): Promise<Unpacked> => {
    const file = archiveFile(context, id);
    const fresh = join(folder, `${UNPACKING}${id}`);
    makePrivate(fresh);
    try {
      const unpacked = await unpackInstance(file, fresh);
      if (unpacked.header.id !== id || unpacked.rows.instance['id'] !== id)
        throw new WorkflowError('ARCHIVE_DAMAGED', `the archive ${file} is of another instance`);
      syncPath(fresh);
      renameSync(fresh, instanceFolder(home, id));
      syncPath(home.instancesFolder);
      return unpacked;
    } catch (error) {
      rmSync(fresh, { recursive: true, force: true });
      throw error;
    }
  };

  /** What a crash left, or a backup that was put back: rows are the truth, an archive beside them is none. */
  const mend = async (): Promise<void> => {
    for (const name of namesIn(folder))
      if (name.startsWith(UNPACKING) || name.endsWith(UNPACKED))
        rmSync(join(folder, name), { recursive: true, force: true });
    for (const name of namesIn(home.instancesFolder))
      if (name.startsWith(REMOVING))
        await rm(join(home.instancesFolder, name), { recursive: true, force: true });
    const ids = archivedIds(context);
    for (let at = 0; at < ids.length; at += PAGE) {
      const some = ids.slice(at, at + PAGE);
      const known = new Set(await store.call('archive.known', { ids: some }));
      for (const id of some)
        if (!known.has(id)) await removeFiles(id);
        else await dropArchive(id);
    }
  };

  /** An older database has its row again: the files may be in the archive alone. */
  const dropArchive = async (id: string): Promise<void> => {
    try {
      if (!existsSync(instanceFolder(home, id))) await unpackFiles(id);
      rmSync(archiveFile(context, id), { force: true });
    } catch (error) {
      log.error('an archive beside its instance cannot be read, it is left alone', {
        instance: id,
        cause: ensureError(error).message,
      });
    }
  };

  return {
    run: (before, actor) => inTurn(() => run(before, actor)),
    prune: (retention, actor) => inTurn(() => prune(retention, actor)),
    restore: (given, actor) => inTurn(() => restore(given, actor)),
    close: () => {
      isClosed = true;
    },
  };
}

/** Packing frees room in the end, but takes some first: as much as the files at most, where they do not shrink. */
async function checkRoom(folder: string, source: string): Promise<void> {
  const { freeBytes, totalBytes } = diskOf(folder);
  const needed = await folderSize(source);
  if (freeBytes - needed >= diskReserve(totalBytes)) return;
  throw new WorkflowError('STORE_FULL', `no room to archive in ${folder}: ${freeBytes} bytes are free`);
}

function isWithoutRoom(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'STORE_FULL' || code === 'SHUTTING_DOWN';
}
