/** Load for the recovery test: many short runs that leave a line for each effect, and what a client was told of them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '../../src/client/client.ts';
import { WorkflowError } from '../../src/errors/workflow-error.ts';
import { type Bench, eventually, ROOT } from '../setup/bench-home.ts';
import { callerOf, connectTo } from '../setup/control.ts';

/** Paths of the steps that have an effect; each prints LOG_LINES lines first. */
export const EFFECTS = ['first', 'group/left', 'group/right', 'last'];
export const LOG_LINES = 40;

export function installLoad(bench: Bench): void {
  const file = join(bench.workspace, 'effects.txt');
  const lines = `i=1; while [ $i -le ${LOG_LINES} ]; do echo "line $i" >&2; i=$((i+1)); done`;
  bench.script(
    'mark.sh',
    `${lines}\necho "$Q_WORKFLOW_IDEMPOTENCY_KEY $Q_WORKFLOW_ATTEMPT" >> ${file}\necho '{"ok": true}'\n`,
  );
  bench.skill('mark', { type: 'code_inline', command: 'sh', args: ['mark.sh'] });
  bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
  const mark = (id: string): object => ({ id, type: 'skill', skill: 'mark' });
  bench.workflow('short', {
    resource_limits: { max_memory_mb: 256, max_cpu_percent: 1000 },
    steps: [
      { id: 'hello', type: 'skill', skill: 'say', inputs: { text: 'good morning' } },
      mark('first'),
      { id: 'group', type: 'parallel', steps: [mark('left'), mark('right')] },
      mark('last'),
    ],
  });
}

/** `<instance>:<path> <attempt>` → how often it ran. */
export function effects(bench: Bench): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of readFileSync(join(bench.workspace, 'effects.txt'), 'utf8').split('\n').filter(Boolean))
    counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

export interface Daemon {
  readonly child: ChildProcess;
  /** It answers, or has gone. */
  readonly ready: Promise<void>;
  readonly exited: Promise<NodeJS.Signals | null>;
}

/** A supervisor of the bench as a child of the test: its end is told at once. */
export function startDaemon(bench: Bench, failpoint: string | null): Daemon {
  const log = openSync(join(bench.workspace, 'supervisor.out'), 'a');
  const main = join(ROOT, 'dist', 'supervisor', 'main.cjs');
  const child = spawn(process.execPath, ['--no-warnings', main, '--ready-fd', '3'], {
    cwd: bench.workspace,
    env: { ...bench.env, ...(failpoint === null ? {} : { Q_WORKFLOW_FAILPOINT: failpoint }) },
    stdio: ['ignore', log, log, 'pipe'],
    detached: true,
  });
  closeSync(log);
  const exited = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once('exit', (_code, signal) => resolve(signal)),
  );
  const told = new Promise<void>((resolve) => child.stdio[3]?.once('data', () => resolve()));
  return { child, exited, ready: Promise.race([told, exited.then(() => undefined)]) };
}

export interface Load {
  /** Ids that a supervisor said are taken. */
  readonly accepted: ReadonlySet<string>;
  /** Id → paths of steps that a client was told are completed. */
  readonly told: ReadonlyMap<string, ReadonlySet<string>>;
  /** Ids of runs that a client has not seen end yet. */
  readonly open: ReadonlySet<string>;
  /** Rejects when a supervisor refused what it should have taken. */
  readonly running: Promise<void>;
  /** Starts no more until `release`. */
  hold(): void;
  release(): void;
  /** Held, and nothing is under way that it knows. */
  isIdle(): boolean;
  /** Starts no more for good. */
  stop(): void;
}

/** Keeps `atOnce` runs under way, over any number of supervisors. */
export function startLoad(bench: Bench, atOnce: number): Load {
  const accepted = new Set<string>();
  const told = new Map<string, Set<string>>();
  const open = new Set<string>();
  let isStopped = false;
  let isHeld = true;
  let isAsking = false;

  const session = async (client: Client): Promise<void> => {
    client.onNotification((notification) => {
      if (notification.method === 'instance.ended') open.delete(notification.params.id);
      if (notification.method === 'instance.step' && notification.params.step.status === 'completed') {
        const { id, step } = notification.params;
        const paths = told.get(id) ?? new Set();
        told.set(id, paths.add(step.path));
      }
    });
    // What was under way is followed again.
    for (const id of open) {
      const { ended_at: ended } = await client.call('instance.watch', { id });
      if (ended !== null) open.delete(id);
    }
    while (!isStopped) {
      if (isHeld || open.size >= atOnce) {
        const room = (): boolean => isStopped || (!isHeld && open.size < atOnce);
        await Promise.race([eventually('room', room, 600_000, 5), lost(client)]);
        continue;
      }
      isAsking = true;
      const { id } = await client.call('workflow.run', {
        target: 'short',
        caller: callerOf(bench),
        inputs: {},
        context: {},
        env: { PATH: String(process.env['PATH']) },
      });
      accepted.add(id);
      open.add(id);
      const { ended_at: ended } = await client.call('instance.watch', { id });
      if (ended !== null) open.delete(id);
      isAsking = false;
    }
  };

  const run = async (): Promise<void> => {
    while (!isStopped) {
      let client: Client | null = null;
      try {
        client = await connectTo(bench);
        await session(client);
      } catch (error) {
        isAsking = false;
        if (!isAbsence(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 10));
      } finally {
        client?.close();
      }
    }
  };
  const running = run();
  // Awaited by the test; until then a failure must not end the process.
  running.catch(() => undefined);
  return {
    accepted,
    told,
    open,
    running,
    hold: () => {
      isHeld = true;
    },
    release: () => {
      isHeld = false;
    },
    isIdle: () => isHeld && !isAsking && open.size === 0,
    stop: () => {
      isStopped = true;
    },
  };
}

async function lost(client: Client): Promise<never> {
  await client.closed;
  throw new WorkflowError('SUPERVISOR_UNREACHABLE', 'it went away');
}

/** No supervisor there, or one that is just coming or going. */
function isAbsence(error: unknown): boolean {
  return error instanceof WorkflowError && ['SUPERVISOR_UNREACHABLE', 'SHUTTING_DOWN'].includes(error.code);
}
