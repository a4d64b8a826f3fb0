import { chownSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { StepUser } from '../../sandbox/launcher/ground.ts';
import { type HeldPlace, holdPlace, makePlace } from '../../sandbox/launcher/held-place.ts';

/**
 * A home for one run of another maker's agent, with its configuration: nothing of the person's own home counts, and
 * what it keeps there is gone with the run. It lies in the scratch folder, the one place that steps may write to
 * outside of the workspace. Steps that run beside us may rename and link there: so each folder is held while
 * something is made in it, and no name in the scratch folder leads us, who may be root, anywhere else.
 */
export function makeAgentHome(
  scratch: string,
  files: Readonly<Record<string, string>>,
  user: StepUser | null,
): string {
  const name = `agent-${process.getBuiltinModule('node:crypto').randomBytes(8).toString('hex')}`;
  const ground = holdPlace(scratch);
  const folders = new Map<string, HeldPlace>();
  const folder = (path: string): HeldPlace => {
    const made = folders.get(path) ?? makePlace(folder(dirname(path)), basename(path));
    folders.set(path, made);
    return made;
  };
  try {
    folders.set('.', makePlace(ground, name));
    for (const [path, content] of Object.entries(files)) {
      const file = join(folder(dirname(path)).path, basename(path));
      writeFileSync(file, content, { mode: 0o600, flag: 'wx' });
      // As long as the home is ours, nobody else is in it: so it is the last that is given away.
      if (user !== null) chownSync(file, user.uid, user.gid);
    }
    if (user !== null)
      for (const { path } of [...folders.values()].toReversed()) chownSync(path, user.uid, user.gid);
  } finally {
    for (const place of [ground, ...folders.values()]) place.close();
  }
  return join(scratch, name);
}
