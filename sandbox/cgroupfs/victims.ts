import { keyedNumber, RareFile } from './control-file.ts';

/** Seldom enough to cost nothing beside a process that fills its memory. */
const LOOK_MS = 250;

/**
 * On v1 the kernel kills one process at the limit, where v2 ends the whole step (`memory.oom.group`): `listener` is
 * called once when one of this cgroup's own was. Nothing tells of it but the count: `memory.oom_control` wants an
 * eventfd, which Node does not have. Returns an unsubscribe.
 */
export function watchVictims(memoryFolder: string, listener: () => void): () => void {
  const file = new RareFile(`${memoryFolder}/memory.oom_control`);
  const count = (): number => keyedNumber(file.read() ?? '', 'oom_kill');
  const before = count();
  const timer = setInterval(() => {
    if (count() <= before) return;
    clearInterval(timer);
    listener();
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
