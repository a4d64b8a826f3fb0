/**
 * usage: node sandbox-host.ts < JSON   The process of an instance, as far as it starts steps: it is in its scope, where
 * a step joins its cgroups as it does in a run. Writes one JSON line with the times of each round.
 */
import { readFileSync } from 'node:fs';
import type { Scope, ScopeRecord } from '../../sandbox/isolation.ts';
import type { StepSandbox } from '../../sandbox/launcher/launch.ts';
import { reopenScope } from '../../sandbox/reopen.ts';
import { drain, startChild } from '../../src/skills/child.ts';
import { within } from '../../src/skills/waits.ts';
import { timed } from './measure.ts';
import { spawnToEnd } from './spawn-to-end.ts';
import { blocking } from './step-scope.ts';

/** What the measure asks of this process. */
export interface HostRequest {
  readonly record: ScopeRecord;
  readonly rounds: number;
  readonly commands: readonly {
    readonly key: string;
    readonly file: string;
    readonly args: readonly string[];
    readonly sandbox: Omit<StepSandbox, 'access'>;
    /** What it may reach, for a tier with a proxy. */
    readonly hosts: readonly string[];
  }[];
}

export interface HostAnswer {
  readonly times: Readonly<Record<string, { readonly confined: number[]; readonly bare: number[] }>>;
  readonly blocking: Awaited<ReturnType<typeof blocking>>;
}

/** As in `run-code.ts`. */
const INIT_WAIT_MS = 20;
const LIMITS = { memoryBytes: 256 * 1024 * 1024, cpuPercent: 100, processes: 64 };
const ENV = { PATH: '/usr/bin:/bin', HOME: '/root' };

const request = JSON.parse(readFileSync(0, 'utf8')) as HostRequest;
const instance = reopenScope(request.record);
if (instance === null) throw new Error('the scope of the measure is gone');

const times: Record<string, { confined: number[]; bare: number[] }> = {};
for (const { key, file, args, sandbox, hosts } of request.commands) {
  const rules = hosts.map((host) => ({ host, ports: [443] }));
  const whole: StepSandbox = { ...sandbox, access: { rules, onEvent: () => undefined } };
  const rounds = { confined: [] as number[], bare: [] as number[] };
  for (let round = 0; round < request.rounds; round += 1) {
    rounds.confined.push(await timed(() => wholeStep(instance, `${key}-${round}`, file, args, whole)));
    rounds.bare.push(await timed(() => spawnToEnd(file, args, { env: ENV })));
  }
  times[key] = rounds;
}
const answer: HostAnswer = { times, blocking: await blocking(instance) };
process.stdout.write(`${JSON.stringify(answer)}\n`);

async function wholeStep(
  parent: Scope,
  name: string,
  file: string,
  args: readonly string[],
  sandbox: StepSandbox,
): Promise<void> {
  const scope = parent.openChild(name, LIMITS);
  const spec = { file, args, cwd: sandbox.view.workspace, env: ENV };
  const child = await startChild('bench', spec, scope, sandbox);
  child.stdin.end();
  child.stdout.resume();
  child.stderr.resume();
  const { code } = await child.exited;
  if (code !== 0) throw new Error(`${file} ended with ${code} in the sandbox`);
  // As in a step: the init of the sandbox may need a moment more than its command.
  await within(child.closed, INIT_WAIT_MS);
  if (scope.pids().length > 0) await scope.kill({ graceMs: 100, timeoutMs: 5000 });
  await drain(child, []);
  scope.usage();
  await scope.remove();
}
