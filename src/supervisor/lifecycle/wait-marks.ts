import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootId } from '../../../sandbox/process-identity.ts';
import { ensureError, systemCode } from '../../errors/workflow-error.ts';
import { instanceFolder } from '../../protocol/home.ts';
import type { SupervisorContext } from '../context.ts';

/**
 * Until when runs wait by the clock of this boot, for the next supervisor: it cannot tell from the wall clock alone
 * whether that was set back meanwhile. A mark needs no sync, as it is worth nothing after the kernel's end.
 */
export interface WaitMarks {
  /** How long the wait of an instance that ends at `wakeAt` lasts yet, ms; null when nothing is known of it. */
  left(id: string, wakeAt: number): number | null;
  /** The wait of an instance that ends at `wakeAt` lasts so long from now on. */
  set(id: string, wakeAt: number, delayMs: number): void;
}

/** Runs from the boot on, for all processes alike; stands still while the machine sleeps. */
export function sinceBoot(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** Keeps them in the folders of the instances. One that cannot be written or read is none: the wall clock counts. */
export function openWaitMarks(
  { home, log }: Pick<SupervisorContext, 'home' | 'log'>,
  now: () => number = sinceBoot,
  boot: string = bootId(),
): WaitMarks {
  const fileOf = (id: string): string => join(instanceFolder(home, id), 'wait');
  return {
    left: (id, wakeAt) => {
      try {
        const [ofBoot, ofWait, endsAt] = readFileSync(fileOf(id), 'utf8').split(' ');
        if (boot === '' || ofBoot !== boot || ofWait !== String(wakeAt) || !/^\d{1,16}$/.test(endsAt ?? ''))
          return null;
        return Number(endsAt) - now();
      } catch (error) {
        if (systemCode(error) !== 'ENOENT')
          log.warn('until when a run waits could not be read', { id, cause: ensureError(error).message });
        return null;
      }
    },
    set: (id, wakeAt, delayMs) => {
      const file = fileOf(id);
      try {
        writeFileSync(`${file}.new`, `${boot} ${wakeAt} ${now() + delayMs}`, { mode: 0o600 });
        renameSync(`${file}.new`, file);
      } catch (error) {
        log.warn('until when a run waits could not be kept', { id, cause: ensureError(error).message });
      }
    },
  };
}
