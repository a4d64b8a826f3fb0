import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { StepUser } from '../../sandbox/launcher/ground.ts';

/**
 * A home for one run of another maker's agent, with its configuration: nothing of the person's own home counts, and
 * what it keeps there is gone with the run. It lies in the scratch folder, the one place that steps may write to
 * outside of the workspace.
 */
export function makeAgentHome(
  scratch: string,
  files: Readonly<Record<string, string>>,
  user: StepUser | null,
): string {
  const home = join(
    scratch,
    `agent-${process.getBuiltinModule('node:crypto').randomBytes(8).toString('hex')}`,
  );
  const made: string[] = [];
  const folder = (path: string): void => {
    if (made.includes(path)) return;
    if (path !== home) folder(dirname(path));
    mkdirSync(path, { mode: 0o700 });
    made.push(path);
  };
  folder(home);
  for (const [name, content] of Object.entries(files)) {
    const file = join(home, name);
    folder(dirname(file));
    writeFileSync(file, content, { mode: 0o600, flag: 'wx' });
    made.push(file);
  }
  // From the inside out: as long as the home is ours, nobody else is in it.
  if (user !== null) for (const path of made.reverse()) chownSync(path, user.uid, user.gid);
  return home;
}
