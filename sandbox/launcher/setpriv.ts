import type { StepUser } from './ground.ts';

/**
 * The words after which setpriv runs a command without new privileges: as another user, or as who we are. Capabilities
 * go for good with `dropsCapabilities`, which only root can and needs to; bwrap drops them by itself, and root's bwrap
 * needs them first.
 */
export function setprivWords(
  file: string,
  user: StepUser | null,
  dropsCapabilities: boolean,
): readonly string[] {
  const words = [file, '--no-new-privs'];
  if (dropsCapabilities) words.push('--inh-caps=-all', '--bounding-set=-all');
  if (user !== null) words.push(`--reuid=${user.uid}`, `--regid=${user.gid}`);
  if (user !== null) words.push(user.name === null ? '--clear-groups' : '--init-groups');
  return [...words, '--'];
}
