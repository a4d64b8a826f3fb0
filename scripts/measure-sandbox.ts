/** usage: sh scripts/node scripts/measure-sandbox.ts [ROUNDS]   costs of a scope, and of a command in it, on this machine */
import { spawn } from 'node:child_process';
import { chooseIsolation } from '../sandbox/choose.ts';
import type { Scope, ScopeLimits } from '../sandbox/isolation.ts';

const ROUNDS = Number(process.argv[2] ?? 50);
const LIMITS: ScopeLimits = { memoryBytes: 256 * 1024 * 1024, cpuPercent: 100, processes: 64 };
const NONE: ScopeLimits = { memoryBytes: null, cpuPercent: null, processes: null };
const TRUE = { file: '/bin/true', args: [], cwd: '/', env: { PATH: '/usr/bin:/bin' } };

/** Spawns a command and waits for its end. */
async function runToEnd(file: string, args: readonly string[], env: Record<string, string>): Promise<void> {
  const child = spawn(file, args, { cwd: '/', env, detached: true, stdio: 'ignore' });
  const code = await new Promise((resolve) => child.on('exit', resolve));
  if (code !== 0) throw new Error(`${file} ended with ${String(code)}`);
}

/** A whole step as an instance runs it: scope, start, end, last counters, removal. */
async function runStep(instance: Scope, name: string): Promise<void> {
  const step = instance.openChild(name, LIMITS);
  const plan = step.plan(TRUE);
  await runToEnd(plan.file, plan.args, { ...plan.env });
  step.usage();
  await step.remove();
}

/** The instance's own process: measures from within its scope, where steps are started. */
async function measureInside(instance: Scope): Promise<Record<string, number[]>> {
  const times: Record<string, number[]> = {};
  const timed = async (name: string, act: () => Promise<void>): Promise<void> => {
    const startedAt = performance.now();
    await act();
    times[name] = [...(times[name] ?? []), performance.now() - startedAt];
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    await timed('openChild + plan + remove', async () => {
      const step = instance.openChild(`empty-${round}`, LIMITS);
      step.plan(TRUE);
      await step.remove();
    });
    await timed('bare spawn of true', () => runToEnd('/bin/true', [], TRUE.env));
    await timed('true in a child scope', () => runStep(instance, `step-${round}`));
    await timed('bare node -e 0', () => runToEnd(process.execPath, ['-e', '0'], TRUE.env));
    await timed('node -e 0 in a child scope', async () => {
      const step = instance.openChild(`node-${round}`, LIMITS);
      const plan = step.plan({ ...TRUE, file: process.execPath, args: ['-e', '0'] });
      await runToEnd(plan.file, plan.args, { ...plan.env });
      await step.remove();
    });
  }
  for (const detail of ['quick', 'full'] as const) {
    const startedAt = performance.now();
    for (let read = 0; read < 2000; read += 1) instance.usage(detail);
    times[`usage ${detail}`] = [(performance.now() - startedAt) / 2000];
  }
  return times;
}

const record = process.env.MEASURE_RECORD;
if (record !== undefined) {
  const { reopenScope } = await import('../sandbox/reopen.ts');
  const scope = reopenScope(JSON.parse(record));
  if (scope === null) throw new Error('the scope is gone');
  for (const [name, all] of Object.entries(await measureInside(scope))) {
    const sorted = all.toSorted((a, b) => a - b);
    const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(3);
    console.log(`${name.padEnd(28)} p50 ${at(0.5)} ms   p95 ${at(0.95)} ms`);
  }
} else {
  const isolation = chooseIsolation({ home: `/measure/${process.pid}`, requested: 'auto' });
  console.log(JSON.stringify(isolation.report));
  const scope = isolation.openScope('measure', NONE);
  try {
    const env = { ...TRUE.env, MEASURE_RECORD: JSON.stringify(scope.record) };
    const plan = scope.plan({ file: process.execPath, args: process.argv.slice(1), cwd: process.cwd(), env });
    const child = spawn(plan.file, plan.args, {
      cwd: plan.cwd,
      env: plan.env,
      detached: true,
      stdio: 'inherit',
    });
    if (child.pid !== undefined) scope.attach(child.pid);
    await new Promise((resolve) => child.on('exit', resolve));
  } finally {
    await scope.kill({ graceMs: 0, timeoutMs: 5000 });
    await scope.remove();
    isolation.close();
  }
}
