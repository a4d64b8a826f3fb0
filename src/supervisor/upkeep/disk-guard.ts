import { statfsSync } from 'node:fs';
import { type AuditEntry, SUPERVISOR } from '../../audit/record.ts';
import { ensureError } from '../../errors/workflow-error.ts';
import type { SupervisorContext } from '../context.ts';
import { openKillSpool } from '../guard/kill-spool.ts';
import type { Fleet } from '../lifecycle/fleet.ts';
import { isPaused } from '../lifecycle/live-instance.ts';

/** Keeps the state folder's disk from filling up: a full one could take no journal, no record and no log. */
export interface DiskGuard {
  /** Looks at the disk now, and does what follows. One look at a time. */
  look(): Promise<void>;
  close(): void;
}

export interface Disk {
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Files that can still be made (inodes); null where the file system sets no bound. */
  readonly freeFiles: number | null;
  readonly totalFiles: number | null;
}

const LOOK_MS = 2000;
const MAX_RESERVE_BYTES = 64 * 1024 * 1024;
/** Of a small disk: 2 percent. */
const RESERVE_SHARE = 0.02;
const MAX_RESERVE_FILES = 2000;
/** Goes on only well above the reserve, or it would stop again at the next line of a log. */
const ENOUGH = 1.25;

/** What must stay free, bytes. */
export function diskReserve(totalBytes: number): number {
  return Math.min(MAX_RESERVE_BYTES, Math.floor(totalBytes * RESERVE_SHARE));
}

/** How many files must stay possible: each run has a folder, each step a log. */
function fileReserve(totalFiles: number): number {
  return Math.min(MAX_RESERVE_FILES, Math.floor(totalFiles * RESERVE_SHARE));
}

/**
 * Watches the disk of the state folder. Below the reserve nothing new is started and what runs is paused by the
 * supervisor (durably, so that the next one knows); with room again both go on.
 */
export function createDiskGuard(
  context: SupervisorContext,
  fleet: Fleet,
  measure: () => Disk = () => diskOf(context.home.folder),
): DiskGuard {
  const { log } = context;
  const spool = openKillSpool(context);
  let isLow = false;
  let looking: Promise<void> | null = null;

  const record = (type: 'disk.low' | 'disk.ok', disk: Disk, reserve: number): AuditEntry => ({
    type,
    at: context.now(),
    actor: SUPERVISOR,
    instance: null,
    data: { free_bytes: disk.freeBytes, reserve_bytes: reserve, free_files: disk.freeFiles },
  });

  const act = async (): Promise<void> => {
    const disk = measure();
    const reserve = diskReserve(disk.totalBytes);
    const wasLow = isLow;
    const scale = wasLow ? ENOUGH : 1;
    const isShortOfFiles =
      disk.freeFiles !== null && disk.freeFiles < fileReserve(disk.totalFiles ?? 0) * scale;
    isLow = isShortOfFiles || disk.freeBytes < reserve * scale;
    if (isLow !== wasLow) {
      log.warn(isLow ? 'the disk of the state folder is nearly full' : 'the disk has room again', {
        ...disk,
      });
      await spool.record(record(isLow ? 'disk.low' : 'disk.ok', disk, reserve));
    }
    fleet.block(isLow ? `room on the disk (${lackOf(disk, isShortOfFiles)})` : null);
    for (const live of fleet.all()) {
      if (isLow && live.scope !== null && !isPaused(live)) await fleet.pause(live, SUPERVISOR);
      if (!isLow && live.row.pausedBy === SUPERVISOR.kind) await fleet.unpause(live, SUPERVISOR);
    }
  };

  const look = (): Promise<void> => {
    looking ??= act()
      .catch((error: unknown) => {
        // A disk that is really full takes no pause either: the commits wait by themselves, and we look again.
        log.error('the disk guard could not do its work, trying again', {
          cause: ensureError(error).message,
        });
      })
      .finally(() => {
        looking = null;
      });
    return looking;
  };

  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();
  return { look, close: () => clearInterval(timer) };
}

/** The disk that a folder lies on. */
export function diskOf(folder: string): Disk {
  const { bavail, blocks, bsize, ffree, files } = statfsSync(folder);
  const isBounded = files > 0;
  return {
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    freeFiles: isBounded ? ffree : null,
    totalFiles: isBounded ? files : null,
  };
}

function lackOf({ freeBytes, totalBytes, freeFiles, totalFiles }: Disk, isShortOfFiles: boolean): string {
  if (isShortOfFiles)
    return `${freeFiles} more files (inodes) can be made, ${fileReserve(totalFiles ?? 0)} kept`;
  return `${megabytes(freeBytes)} free, ${megabytes(diskReserve(totalBytes))} kept`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MB`;
}
