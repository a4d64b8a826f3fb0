/** What isolation costs a step: the whole of it in the tier `skill`, and for how long its scope blocks the event loop. */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { chooseIsolation } from '../../sandbox/choose.ts';
import type { Scope } from '../../sandbox/isolation.ts';
import { missingLayers, type SandboxGround } from '../../sandbox/launcher/ground.ts';
import { locateHome, prepareHome } from '../../src/protocol/home.ts';
import { openSandboxes } from '../../src/supervisor/sandboxes/sandboxes.ts';
import { type Measure, median, type Result } from './measure.ts';
import type { HostAnswer, HostRequest } from './sandbox-host.ts';

const ROUNDS = 40;
const NO_LIMITS = { memoryBytes: null, cpuPercent: null, processes: null };
/** nobody: a user who is there everywhere. */
const OTHER_USER = 65_534;

type HostCommand = HostRequest['commands'][number];
/** What is started, and what it may cost. */
type Case = Pick<Result, 'name' | 'bar'> & { readonly command: HostCommand };

export const sandboxedStep: Measure = {
  name: 'sandboxed-step',
  run: async () => {
    const base = mkdtempSync(join(tmpdir(), 'q-bench-sandbox-'));
    chmodSync(base, 0o711);
    const home = locateHome({ Q_WORKFLOW_HOME: join(base, 'home') });
    prepareHome(home);
    const sandboxes = openSandboxes(home);
    const own = join(base, 'workspace');
    mkdirSync(own);
    const cases = casesIn('own', own, (await sandboxes.offer(own)).ground);
    if (process.getuid?.() === 0) {
      const other = join(base, 'of-another');
      mkdirSync(other);
      chownSync(other, OTHER_USER, OTHER_USER);
      cases.push(...casesIn('of another user', other, (await sandboxes.offer(other)).ground));
    }
    const isolation = chooseIsolation({ home: home.folder, requested: 'auto' });
    const instance = isolation.openScope('bench', NO_LIMITS);
    try {
      const commands = cases.map(({ command }) => command);
      const answer = await inside(instance, { record: instance.record, rounds: ROUNDS, commands });
      return [...cases.map((each) => resultOf(each, answer)), ...answer.blocking];
    } finally {
      await instance.kill({ graceMs: 0, timeoutMs: 5000 });
      await instance.remove();
      isolation.close();
      rmSync(base, { recursive: true });
    }
  },
};

function casesIn(whose: string, workspace: string, ground: SandboxGround): Case[] {
  const missing = missingLayers(ground, 'skill');
  if (missing.length > 0) throw new Error(`there is no ${missing.join(', no ')} here`);
  const view = { workspace, read: null, write: null, files: [], scratch: null } as const;
  const programs = [
    { program: 'true', file: '/bin/true', args: [], bar: { of: 'difference', atMost: 12 } },
    { program: 'node -e 0', file: process.execPath, args: ['-e', '0'], bar: { of: 'ratio', atMost: 1.6 } },
  ] as const;
  const tiers = whose === 'own' ? (['skill', 'agent'] as const) : (['skill'] as const);
  return tiers.flatMap((tier) =>
    programs.map(({ program, file, args, bar }) => ({
      name: `whole step in the tier ${tier}, workspace ${whose}: ${program}`,
      command: {
        key: `${tier}-${program.slice(0, 4)}-${whose.slice(0, 2)}`,
        file,
        args,
        hosts: tier === 'agent' ? ['api.example'] : [],
        sandbox: { ground, view: { ...view, tier, network: tier === 'agent' ? 'proxy' : 'host' } } as const,
      },
      // The tier of agents has none: it starts a Node for its listener.
      bar: tier === 'agent' ? null : bar,
    })),
  );
}

/** Has a process in the scope of an instance do the work, as in a run. */
async function inside(instance: Scope, request: HostRequest): Promise<HostAnswer> {
  const plan = instance.plan({
    file: process.execPath,
    args: ['--no-warnings', join(import.meta.dirname, 'sandbox-host.ts')],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', HOME: '/root' },
  });
  const { stdout } = await execa(plan.file, plan.args, {
    cwd: plan.cwd,
    env: { ...plan.env },
    extendEnv: false,
    input: JSON.stringify(request),
    stderr: 'inherit',
  });
  return JSON.parse(stdout) as HostAnswer;
}

function resultOf({ command, name, bar }: Case, { times }: HostAnswer): Result {
  const { confined, bare } = times[command.key] ?? { confined: [], bare: [] };
  return {
    name,
    unit: 'ms',
    value: median(confined),
    floor: median(bare),
    floorIs: 'bare spawn of it',
    bar,
    rounds: ROUNDS,
  };
}
