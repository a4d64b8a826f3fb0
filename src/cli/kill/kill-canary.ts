import { lstatSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemCode } from '../../errors/workflow-error.ts';
import { namesIn } from '../../protocol/names-in.ts';

/** Something that is made to be killed, in a workspace of its own. */
export interface Canary {
  readonly workspace: string;
  readonly file: string;
  /** Bytes that it has written so far: it writes as long as it lives. */
  written(): number;
  remove(): void;
}

/** Its one step. */
export const CANARY_STEP = 'sing';

/** The host and what the script below starts at least; a sandbox adds processes of its own. */
export const CANARY_PROCESSES = 5;

/**
 * Deaf to what asks nicely, with a child in a session of its own and two whose parents are gone: all that a kill by
 * process group or by parent misses.
 */
const SCRIPT = `command -v setsid > /dev/null || { echo "setsid is missing (util-linux)" >&2; exit 1; }
trap '' TERM HUP INT QUIT
setsid sleep 600 &
(setsid sleep 600 &)
(sleep 600 &)
while :; do echo tick >> ticks; sleep 0.02; done
`;

const PREFIX = 'q-workflow-drill-';
/** Longer than a drill takes, and its canary lives. */
const LEFT_AFTER_MS = 10 * 60_000;

/** Makes the workspace. It ends by itself after a minute, should nobody be left to end it. */
export function makeCanary(): Canary {
  removeLeft(tmpdir());
  const workspace = mkdtempSync(join(tmpdir(), PREFIX));
  const skills = join(workspace, '.q-skills');
  mkdirSync(skills);
  writeFileSync(join(workspace, 'canary.sh'), SCRIPT);
  const skill = {
    name: 'kill-canary',
    description: 'Deaf to SIGTERM, with children that have left it.',
    type: 'code_inline',
    command: 'sh',
    args: ['canary.sh'],
  };
  writeFileSync(join(skills, 'kill-canary.json'), JSON.stringify(skill));
  const file = join(workspace, 'kill-canary.json');
  const workflow = {
    name: 'kill-canary',
    version: '1.0.0',
    description: 'The canary of a kill drill.',
    steps: [{ id: CANARY_STEP, type: 'skill', skill: 'kill-canary' }],
    resource_limits: { max_execution_time: 60, max_processes: 64 },
  };
  writeFileSync(file, JSON.stringify(workflow));
  return {
    workspace,
    file,
    written: () => bytesOf(join(workspace, 'ticks')),
    remove: () => rmSync(workspace, { recursive: true, force: true }),
  };
}

/** Removes the workspaces of our own drills that were killed before they could. */
function removeLeft(folder: string): void {
  for (const name of namesIn(folder)) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(folder, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory() !== true || stat.uid !== process.getuid?.()) continue;
    if (Date.now() - stat.mtimeMs > LEFT_AFTER_MS) rmSync(path, { recursive: true, force: true });
  }
}

function bytesOf(file: string): number {
  try {
    return statSync(file).size;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return 0;
  }
}
