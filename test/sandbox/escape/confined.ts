/** Runs a command in a tier, or beside it as the same user, to its end. */
import { spawn } from 'node:child_process';
import type { ScopeLimits } from '../../../sandbox/isolation.ts';
import type { SandboxGround } from '../../../sandbox/launcher/ground.ts';
import type { StepView } from '../../../sandbox/launcher/launch.ts';
import type { NetworkAccess } from '../../../sandbox/network/events.ts';
import { PollingIsolation } from '../../../sandbox/polling/isolation.ts';
import { drain, startChild } from '../../../src/skills/child.ts';
import { Pump } from '../../../src/skills/output.ts';
import { Redactor } from '../../../src/skills/redact.ts';

export interface Done {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly hasRun: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Task {
  readonly ground: SandboxGround;
  readonly view: Partial<StepView> & Pick<StepView, 'tier' | 'workspace'>;
  readonly env: Readonly<Record<string, string>>;
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  /** For the network `proxy`. */
  readonly access?: NetworkAccess;
}

const NO_LIMITS: ScopeLimits = { memoryBytes: null, cpuPercent: null, processes: null };
let count = 0;

/** In the sandbox that the view describes, through the same code as a step. */
export async function runConfined(task: Task): Promise<Done> {
  count += 1;
  const scope = new PollingIsolation(`e${process.pid}`, []).openScope(`escape-${count}`, NO_LIMITS);
  const [file, ...args] = task.argv;
  const { tier, workspace } = task.view;
  const network = tier === 'skill' || tier === 'trusted' ? 'host' : tier === 'agent' ? 'proxy' : 'none';
  const view: StepView = { network, scratch: null, read: null, write: null, files: [], ...task.view };
  const spec = { file, args, cwd: task.cwd ?? workspace, env: task.env };
  const child = await startChild('escape', spec, scope, {
    ground: task.ground,
    view,
    ...(task.access === undefined ? {} : { access: task.access }),
  });
  let stdout = '';
  let stderr = '';
  const pump = (name: 'stdout' | 'stderr', take: (text: string) => void): Pump =>
    new Pump(child[name], {
      name,
      redactor: new Redactor([]),
      take: (chunk) => take(chunk.toString()),
      sink: () => null,
      onError: (error) => take(String(error)),
    });
  const pumps = [pump('stdout', (text) => (stdout += text)), pump('stderr', (text) => (stderr += text))];
  child.stdin.end();
  const exit = await child.exited;
  await drain(child, pumps);
  await scope.kill({ graceMs: 0, timeoutMs: 5000 });
  await scope.remove();
  return { ...exit, stdout, stderr };
}

/** Without any sandbox, as the user of the ground. */
export function runOutside({ ground, env, argv, cwd, view }: Task): Promise<Done> {
  const [file, ...args] = argv;
  const { user } = ground;
  const child = spawn(file, args, {
    cwd: cwd ?? view.workspace,
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    ...(user === null ? {} : { uid: user.uid, gid: user.gid }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  return new Promise((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal, hasRun: true, stdout, stderr })),
  );
}
