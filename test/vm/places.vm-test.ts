/** Where instances go when systemd helps, and when it does not. Run by `npm run test:vm`, as root and as a user. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { SupervisorStatus } from '../../src/protocol/control.ts';
import { type Bench, type BenchOptions, openBench, ROOT } from '../setup/bench-home.ts';
import { processesOf, runToEnd } from '../setup/leftovers.ts';
import {
  answering,
  assertNoScopes,
  endOf,
  openService,
  patiently,
  SCOPES_FOLDER,
  type Service,
  scopesOf,
  startMany,
  stdoutOf,
  UID,
  WHO,
} from './service.ts';

const NO_V1 = /^cgroup v1 memory[^:]*: it is not mounted\./;

describe(`the place of instances, as ${WHO}`, { timeout: 1_200_000 }, () => {
  const services: Service[] = [];

  async function serviceFor(bench: Bench, lines: readonly string[] = []): Promise<Service> {
    const service = await openService(bench, lines);
    services.push(service);
    await service.control('start', service.name);
    return service;
  }

  function benchFor(t: TestContext, options: BenchOptions = {}): Bench {
    const bench = openBench(options);
    t.after(async () => {
      // A unit first: it would start the supervisor again.
      for (const service of services.splice(0)) await service.remove();
      await bench.close();
      await assertNoScopes(bench);
    });
    bench.skill('where', { type: 'code_inline', command: 'cat', args: ['/proc/self/cgroup'] });
    bench.workflow('where', { steps: [{ id: 'it', type: 'skill', skill: 'where' }] });
    return bench;
  }

  /** A folder with a systemd-run that does as it is told here, to be found before the real one. */
  function fakeSystemdRun(bench: Bench, script: string): string {
    const folder = join(bench.workspace, 'fake');
    mkdirSync(folder);
    writeFileSync(join(folder, 'systemd-run'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return folder;
  }

  async function placeOfRun(bench: Bench): Promise<string> {
    const { code, run } = await runToEnd(bench, 'where');
    assert.equal(code, 0, JSON.stringify(run.error));
    return stdoutOf(run, 'it');
  }

  // Each supervisor takes its time here, so what does not depend on who asks is looked at once.
  const refusals = [
    ['refuses', 'echo Access denied >&2; exit 1', 'systemd-run failed: Access denied'],
    ['does not answer', 'exec sleep 300', 'systemd-run did not answer within 10 s'],
  ] as const;
  for (const [what, script, reason] of UID === 0 ? refusals : refusals.slice(0, 1)) {
    test(`a service whose systemd-run ${what} polls, and says why`, async (t) => {
      const bench = benchFor(t);
      const path = `${fakeSystemdRun(bench, script)}:/usr/bin:/bin`;
      const service = await serviceFor(bench, [`Environment=PATH=${path}`]);
      const status = await service.ready();
      assert.equal(status.isolation.backend, 'polling');
      const own = `And the own cgroup is that of ${service.name}: instances in it would end with it, or keep it from starting again.`;
      assert.equal(status.missing[0], `cgroup v2: no scope of systemd: ${reason}. ${own}`);
      assert.match(status.missing[1] ?? '', NO_V1);
    });
  }

  for (const isDelegated of UID === 0 ? [true, false] : [true]) {
    test(`a scope that is ${isDelegated ? '' : 'not '}delegated serves when systemd-run fails: ${isDelegated}`, async (t) => {
      const bench = benchFor(t);
      const folder = fakeSystemdRun(bench, 'echo Access denied >&2; exit 1');
      const unit = `q-test-${process.pid}-${isDelegated}.scope`;
      const words = [...(UID === 0 ? [] : ['--user']), '--scope', '--quiet', '--collect', `--unit=${unit}`];
      const program = [process.execPath, '--no-warnings', join(ROOT, 'dist/supervisor/main.cjs')];
      const path = `PATH=${folder}:/usr/bin:/bin`;
      const delegate = `--property=Delegate=${isDelegated ? 'yes' : 'no'}`;
      spawn('systemd-run', [...words, delegate, '--', 'env', path, ...program], {
        env: { ...process.env, ...bench.env },
        stdio: 'ignore',
      });
      const status = await patiently('it answers', () => answering(bench));
      const reason = 'cgroup v2: no scope of systemd: systemd-run failed: Access denied.';
      if (isDelegated) {
        assert.deepEqual([status.isolation.backend, status.missing], ['cgroup-v2', [reason]]);
        assert.match(await placeOfRun(bench), new RegExp(`/${unit}/q-workflow/[0-9a-f]{8}/`));
      } else {
        assert.equal(status.isolation.backend, 'polling');
        assert.equal(
          status.missing[0],
          `${reason} And the own cgroup is that of ${unit}, which is not delegated.`,
        );
      }
    });
  }

  test('a scope that was stopped under the supervisor is replaced', async (t) => {
    const bench = benchFor(t);
    await bench.q('supervisor', 'start');
    const [first = ''] = scopesOf(bench);
    const leaf = join(SCOPES_FOLDER, first, 'q-workflow', 'leaf', 'cgroup.procs');
    const [holder = ''] = readFileSync(leaf, 'utf8').trim().split('\n');
    process.kill(Number(holder), 'SIGKILL');
    await patiently('another scope', () => scopesOf(bench).length === 1 && scopesOf(bench)[0] !== first);
    assert.match(await placeOfRun(bench), new RegExp(`/${scopesOf(bench)[0]}/q-workflow/`));
  });

  test('an adopted instance, the last of its scope, is known to be killed for memory', async (t) => {
    const bench = benchFor(t);
    execFileSync('mkfifo', [join(bench.workspace, 'gate')]);
    bench.script(
      'greedy.sh',
      `cat gate
host=$(cat "$(dirname "/sys/fs/cgroup$(sed s/0::// /proc/self/cgroup)")/host/cgroup.procs")
echo 1000 > "/proc/$host/oom_score_adj"; echo 200 > /proc/self/oom_score_adj
head -c 400000000 /dev/zero | tail
`,
    );
    bench.skill('greedy', { type: 'code_inline', command: 'sh', args: ['greedy.sh'] });
    const limits = { resource_limits: { max_memory_mb: 128 } };
    bench.workflow('greedy', { steps: [{ id: 'it', type: 'skill', skill: 'greedy' }], ...limits });
    const service = await serviceFor(bench);
    const { pid } = await service.ready();
    const [id = ''] = await startMany(bench, 'greedy', 1);
    await patiently('the step', () => processesOf(id).length >= 3);
    await service.control('restart', service.name);
    await service.ready(pid);
    assert.equal(scopesOf(bench).length, 2);
    writeFileSync(join(bench.workspace, 'gate'), '');
    const run = await endOf(bench, id);
    assert.deepEqual([run.status, run.incarnations, run.error?.code], ['failed', 1, 'MEMORY_LIMIT']);
    await patiently('its scope is let go', () => scopesOf(bench).length === 1);
  });

  test('a supervisor that gets no scope adopts the instances of an earlier one that did', {
    skip: UID === 0 ? false : 'seen as root',
  }, async (t) => {
    const bench = benchFor(t);
    execFileSync('mkfifo', [join(bench.workspace, 'gate')]);
    bench.skill('wait', { type: 'code_inline', command: 'cat', args: ['gate'] });
    bench.workflow('wait', { steps: [{ id: 'it', type: 'skill', skill: 'wait' }] });
    const folder = join(bench.workspace, 'fake');
    const service = await serviceFor(bench, [`Environment=PATH=${folder}:/usr/bin:/bin`]);
    const { pid } = await service.ready();
    const [id = ''] = await startMany(bench, 'wait', 1);
    await patiently('the step', () => processesOf(id).length >= 2);
    fakeSystemdRun(bench, 'echo Access denied >&2; exit 1');
    await service.control('restart', service.name);
    assert.equal((await service.ready(pid)).isolation.backend, 'polling');
    writeFileSync(join(bench.workspace, 'gate'), '');
    const run = await endOf(bench, id);
    assert.deepEqual([run.status, run.incarnations, run.isolation?.backend], ['completed', 1, 'cgroup-v2']);
    await patiently('its scope is gone', () => scopesOf(bench).length === 0);
  });

  test('from a login session, outside of the own systemd, the supervisor goes into the scope itself', {
    skip: UID === 0 ? false : 'only root can put a process of a user outside of its systemd',
  }, async (t) => {
    const session = ['systemd-run', '--scope', '--quiet', '--collect', '--slice=user-1000.slice'];
    const user = ['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups'];
    const bench = benchFor(t, { prefix: () => [...session, ...user] });
    for (const folder of [dirname(bench.workspace), bench.workspace]) chownSync(folder, 1000, 1000);
    const status = (await bench.json('supervisor', 'start')) as SupervisorStatus;
    assert.deepEqual([status.isolation.backend, status.missing], ['cgroup-v2', []]);
    const scope = '/user.slice/user-1000.slice/user@1000.service/app.slice/q-workflow-[0-9a-f]{8}-\\d+.scope';
    const own = readFileSync(`/proc/${status.pid}/cgroup`, 'utf8');
    assert.match(own, new RegExp(`^0::${scope}/q-workflow/leaf\n$`));
    assert.match(await placeOfRun(bench), new RegExp(`^0::${scope}/q-workflow/[0-9a-f]{8}/[^/]+/[^/]+$`));
  });
});
