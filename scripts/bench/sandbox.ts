/** What isolation costs a step: the whole of it in the tier `skill`, and for how long its scope blocks the event loop. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseIsolation } from '../../sandbox/choose.ts';
import type { Scope } from '../../sandbox/isolation.ts';
import { missingLayers } from '../../sandbox/launcher/ground.ts';
import type { StepSandbox } from '../../sandbox/launcher/launch.ts';
import { locateHome, prepareHome } from '../../src/protocol/home.ts';
import { drain, startChild } from '../../src/skills/child.ts';
import { within } from '../../src/skills/waits.ts';
import { openSandboxes } from '../../src/supervisor/sandboxes.ts';
import { type Measure, median, type Result, timed } from './measure.ts';
import { spawnToEnd } from './spawn-to-end.ts';
import { blocking } from './step-scope.ts';

const ROUNDS = 40;
/** As in `run-code.ts`. */
const INIT_WAIT_MS = 20;
const NO_LIMITS = { memoryBytes: null, cpuPercent: null, processes: null };
const LIMITS = { memoryBytes: 256 * 1024 * 1024, cpuPercent: 100, processes: 64 };
const COMMANDS: readonly {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly bar: Result['bar'];
}[] = [
  { name: 'true', file: '/bin/true', args: [], bar: { of: 'difference', atMost: 12 } },
  { name: 'node -e 0', file: process.execPath, args: ['-e', '0'], bar: { of: 'ratio', atMost: 1.6 } },
];

export const sandboxedStep: Measure = {
  name: 'sandboxed-step',
  run: async () => {
    const base = mkdtempSync(join(tmpdir(), 'q-bench-sandbox-'));
    const workspace = join(base, 'workspace');
    mkdirSync(workspace);
    const home = locateHome({ Q_WORKFLOW_HOME: join(base, 'home') });
    prepareHome(home);
    const { ground } = await openSandboxes(home).offer(workspace);
    const missing = missingLayers(ground, 'skill');
    if (missing.length > 0) throw new Error(`there is no ${missing.join(', no ')} here`);
    const isolation = chooseIsolation({ home: home.folder, requested: 'auto' });
    const instance = isolation.openScope('bench', NO_LIMITS);
    const view = { workspace, read: null, write: null, files: [], scratch: null } as const;
    const skill: StepSandbox = { ground, view: { ...view, tier: 'skill', network: 'host' } };
    const access = { rules: [{ host: 'api.example', ports: [443] }], onEvent: () => undefined };
    const agent: StepSandbox = { ground, view: { ...view, tier: 'agent', network: 'proxy' }, access };
    try {
      const results: Result[] = [];
      for (const command of COMMANDS) results.push(await measure(command, instance, skill));
      // No bar: it starts a Node for its listener.
      for (const command of COMMANDS) results.push(await measure({ ...command, bar: null }, instance, agent));
      results.push(...(await blocking(instance)));
      return results;
    } finally {
      await instance.kill({ graceMs: 0, timeoutMs: 5000 });
      await instance.remove();
      isolation.close();
      rmSync(base, { recursive: true });
    }
  },
};

async function measure(
  { name, file, args, bar }: (typeof COMMANDS)[number],
  instance: Scope,
  sandbox: StepSandbox,
): Promise<Result> {
  const confined: number[] = [];
  const bare: number[] = [];
  const env = { PATH: '/usr/bin:/bin', HOME: '/root' };
  for (let round = 0; round < ROUNDS; round += 1) {
    confined.push(
      await timed(async () => {
        const scope = instance.openChild(
          `${sandbox.view.tier}-${name === 'true' ? 't' : 'n'}-${round}`,
          LIMITS,
        );
        const spec = { file, args, cwd: sandbox.view.workspace, env };
        const child = await startChild('bench', spec, scope, sandbox);
        child.stdin.end();
        child.stdout.resume();
        child.stderr.resume();
        const { code } = await child.exited;
        if (code !== 0) throw new Error(`${name} ended with ${code} in the sandbox`);
        // As in a step: the init of the sandbox may need a moment more than its command.
        await within(child.closed, INIT_WAIT_MS);
        if (scope.pids().length > 0) await scope.kill({ graceMs: 100, timeoutMs: 5000 });
        await drain(child, []);
        scope.usage();
        await scope.remove();
      }),
    );
    bare.push(await timed(() => spawnToEnd(file, args, { env })));
  }
  return {
    name: `whole step in the tier ${sandbox.view.tier}: ${name}`,
    unit: 'ms',
    value: median(confined),
    floor: median(bare),
    floorIs: 'bare spawn of it',
    bar,
    rounds: ROUNDS,
  };
}
