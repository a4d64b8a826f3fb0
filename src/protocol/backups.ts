/** The backups of a home: files whose names tell when they were made. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from './names-in.ts';
import { fromStamp, stamp } from './stamp.ts';

export interface BackupFile {
  readonly file: string;
  /** When it was made, UTC ms. */
  readonly at: number;
  readonly bytes: number;
}

/** One a day by itself; older than this is late. */
export const BACKUP_EVERY_MS = 24 * 3600 * 1000;
/** So many are kept. */
export const BACKUPS_KEPT = 7;

const NAME = /^q-workflow-(\d{8}T\d{9}Z)\.db$/;

export function backupName(at: number): string {
  return `q-workflow-${stamp(at)}.db`;
}

/**
 * The backups in a folder, the newest first. A missing folder has none; other files in it do not count. Those that are of
 * the future come last: they were made by a clock that was wrong, before all that were made since.
 */
export function listBackups(folder: string, now: number): BackupFile[] {
  const isAhead = ({ at }: BackupFile): number => (at > now ? 1 : 0);
  return namesIn(folder)
    .flatMap((name) => {
      const at = fromStamp(NAME.exec(name)?.[1] ?? '');
      const file = join(folder, name);
      return at === null ? [] : [{ file, at, bytes: statSync(file).size }];
    })
    .sort((a, b) => isAhead(a) - isAhead(b) || b.at - a.at);
}
