import { ask } from './ask.ts';
import { ownCgroup } from './keeper.ts';
import { type Unit, unitOf } from './units.ts';

/** The unit of systemd that this process is in; null outside of any, or where there is no cgroup v2. */
export function ownUnit(): Unit | null {
  return unitOf(ownCgroup());
}

/**
 * Why the own cgroup is no ground for instances although it may be writable, or null when it is one. A service is
 * none: what lives below it is killed with it, or, with KillMode=process, keeps it from ever starting again
 * (219/CGROUP: systemd cannot put the new main process beside enabled controllers).
 */
export async function ownCgroupProblem(own: string, uid: number): Promise<string | null> {
  const unit = unitOf(own);
  if (unit === null) return null;
  if (unit.name.endsWith('.service'))
    return `the own cgroup is that of ${unit.name}: instances in it would end with it, or keep it from starting again`;
  const asked = ['show', '--property=Delegate', '--value', unit.name];
  const answer = await ask('systemctl', unit.isUsers ? ['--user', ...asked] : asked, uid);
  if ('problem' in answer) return `nobody says whether ${unit.name} is delegated: ${answer.problem}`;
  return answer.output === 'yes' ? null : `the own cgroup is that of ${unit.name}, which is not delegated`;
}
