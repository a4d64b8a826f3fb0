/** The supervisor as an installed service of a real systemd. Run by `npm run test:vm`, as root and as a user. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { identify, isAlive, type ProcessIdentity } from '../../sandbox/process-identity.ts';
import { systemCode } from '../../src/errors/workflow-error.ts';
import type { StatusDocument, SupervisorStatus } from '../../src/protocol/control.ts';
import type { InstallDocument } from '../../src/service/install.ts';
import { type Bench, finish, openBench } from '../setup/bench-home.ts';
import { connectTo } from '../setup/control.ts';
import { answering, assertNoScopes, patiently, startMany, UID, WHO } from './service.ts';

const run = promisify(execFile);
const COUNT = 3;
/** In the VM a systemd-notify takes 0.3 s and more. */
const WATCHDOG_S = 8;

describe(`an installed service with ${COUNT} live instances, as ${WHO}`, { timeout: 1_200_000 }, () => {
  let bench: Bench;
  let installed: InstallDocument;
  const ids: string[] = [];
  let begun: StatusDocument[];
  let processes: ProcessIdentity[];

  before(() => {
    bench = openBench();
    // Where the systemd of the user looks for units: its home is not that of the bench.
    if (UID !== 0) bench.env['XDG_CONFIG_HOME'] = join(userInfo().homedir, '.config');
    // A pipe nobody writes to: the step waits without using the processor.
    execFileSync('mkfifo', [join(bench.workspace, 'gate')]);
    bench.skill('wait', { type: 'code_inline', command: 'cat', args: ['gate'] });
    bench.workflow('long', {
      steps: [{ id: 'first', type: 'skill', skill: 'wait' }],
      resource_limits: { max_memory_mb: 96 },
    });
  });
  after(async () => {
    openGate();
    rmSync(`${installed.file}.d`, { recursive: true, force: true });
    await q('supervisor', 'uninstall');
    await bench.close();
  });

  /** Without the bound of the bench: in the VM an install takes most of a minute. */
  const q = (...args: readonly string[]): ReturnType<Bench['q']> => finish(bench.start(args), 300_000);
  const control = async (...words: readonly string[]): Promise<string> =>
    (await run('systemctl', [...(UID === 0 ? [] : ['--user']), ...words])).stdout.trim();
  const show = (property: string): Promise<string> =>
    control('show', `--property=${property}`, '--value', installed.unit);
  const install = async (): Promise<InstallDocument> => {
    const { status, stdout, stderr } = await q('supervisor', 'install', '--json');
    assert.equal(status, 0, `${stdout} ${stderr}`);
    return JSON.parse(stdout) as InstallDocument;
  };
  function openGate(): void {
    try {
      closeSync(openSync(join(bench.workspace, 'gate'), constants.O_WRONLY | constants.O_NONBLOCK));
    } catch (error) {
      if (systemCode(error) !== 'ENXIO') throw error;
    }
  }
  async function all(isSo: (run: StatusDocument) => boolean): Promise<StatusDocument[]> {
    const client = await connectTo(bench);
    try {
      return await patiently('all instances are so far', async () => {
        const runs = await Promise.all(ids.map((id) => client.call('instance.status', { id })));
        return runs.every(isSo) && runs;
      });
    } finally {
      client.close();
    }
  }
  /** Another main process than `old` answers, and the instances are the processes that they were. */
  const assertTakenOver = async (old: number): Promise<number> => {
    const status: SupervisorStatus = await patiently('the next one answers', () => answering(bench, old));
    assert.equal(String(status.pid), await show('MainPID'));
    assert.equal(status.service?.unit, installed.unit);
    assert.deepEqual(status.instances, { running: COUNT });
    assert.deepEqual([status.isolation.backend, status.missing], ['cgroup-v2', []]);
    assert.deepEqual(processes.map(isAlive), Array(COUNT).fill(true));
    const runs = await all(() => true);
    assert.deepEqual(
      runs.map(({ pid, incarnations }) => [pid, incarnations]),
      begun.map(({ pid, incarnations }) => [pid, incarnations]),
    );
    return status.pid;
  };

  test('install: ready, enabled, limits by cgroups; the second one changes nothing', async () => {
    installed = await install();
    assert.deepEqual([installed.change, installed.scope], ['created', UID === 0 ? 'system' : 'user']);
    assert.equal(await show('MainPID'), String(installed.pid));
    assert.deepEqual(
      [await show('ActiveState'), await show('Type'), await show('StatusText')],
      ['active', 'notify', 'limits by cgroup-v2; no instances'],
    );
    assert.equal(await control('is-enabled', installed.unit), 'enabled');
    const { stdout } = await q('supervisor', 'status', '--json');
    assert.deepEqual((JSON.parse(stdout) as { service: unknown }).service, {
      manager: 'systemd',
      scope: installed.scope,
      unit: installed.unit,
      enabled: true,
    });
    const again = await install();
    assert.deepEqual([again.change, again.pid], ['none', installed.pid]);
    assert.deepEqual(installed.notices, []);
  });

  test('the unit has no word that this systemd does not know', async () => {
    const { stderr } = await run('systemd-analyze', [
      ...(UID === 0 ? [] : ['--user']),
      ...['verify', '--recursive-errors=no', installed.file],
    ]);
    assert.equal(stderr, '');
  });

  test('restart: instances go on and are taken over', async () => {
    ids.push(...(await startMany(bench, 'long', COUNT)));
    begun = await all((each) => each.steps[0]?.status === 'running');
    processes = begun.map(({ pid }) => {
      const identity = identify(pid ?? 0);
      assert.ok(identity !== null, `no process ${pid}`);
      return identity;
    });
    // The score of root's unit is not that of what it starts.
    const scores = begun.map(({ pid }) => readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim());
    if (UID === 0) assert.deepEqual(scores, Array(COUNT).fill('0'));
    await control('restart', installed.unit);
    await assertTakenOver(installed.pid ?? 0);
  });

  test('reload: policies are read, and it is as ready as before', async () => {
    await control('reload', installed.unit);
    const client = await connectTo(bench);
    try {
      await patiently('the record of the reload', async () => {
        const filter = { since: null, until: null, type: 'policy.reloaded', instance: null };
        const page = await client.call('audit.read', { order: 'oldest', from: 0, limit: 1, filter });
        return page.rows.length === 1;
      });
    } finally {
      client.close();
    }
    await patiently('it is ready again', async () => (await show('StatusText')).startsWith('limits by'));
    assert.equal(await show('ActiveState'), 'active');
  });

  test('the watchdog ends one that hangs, the next takes over', async () => {
    mkdirSync(`${installed.file}.d`, { recursive: true });
    writeFileSync(join(`${installed.file}.d`, 'short.conf'), `[Service]\nWatchdogSec=${WATCHDOG_S}\n`);
    await control('daemon-reload');
    await control('restart', installed.unit);
    const old = Number(await show('MainPID'));
    await patiently('it is fed', async () => (await show('StatusText')).endsWith(`; ${COUNT} running`));
    assert.equal(await show('NRestarts'), '0', 'a loop that turns is not ended');
    process.kill(old, 'SIGSTOP');
    await assertTakenOver(old);
    assert.equal(await show('NRestarts'), '1');
  });

  test('kill -9: systemd starts the next one, which takes over', async () => {
    const old = Number(await show('MainPID'));
    process.kill(old, 'SIGKILL');
    await assertTakenOver(old);
  });

  test('supervisor stop is not undone by systemd; a command has systemd start it', async () => {
    const old = Number(await show('MainPID'));
    const { status, stderr } = await q('supervisor', 'stop');
    assert.equal(status, 0, stderr);
    assert.deepEqual([await show('ActiveState'), await show('MainPID')], ['inactive', '0']);
    assert.deepEqual(processes.map(isAlive), Array(COUNT).fill(true));
    const started = await q('supervisor', 'start');
    assert.equal(started.status, 0, started.stderr);
    await assertTakenOver(old);
  });

  test('uninstall: a purge waits for the last end, then nothing is left', async () => {
    const refused = await q('supervisor', 'uninstall', '--purge');
    assert.equal(refused.status, 6, refused.stderr);
    assert.equal(await show('ActiveState'), 'active');
    await all((each) => {
      openGate();
      return each.ended_at !== null;
    });
    rmSync(`${installed.file}.d`, { recursive: true });
    const done = await q('supervisor', 'uninstall', '--purge', '--json');
    assert.equal(done.status, 0, done.stderr);
    assert.deepEqual([existsSync(installed.file), existsSync(bench.home)], [false, false]);
    assert.equal(await control('list-units', '--all', '--no-legend', '--plain', installed.unit), '');
    assert.equal(existsSync(join(dirname(installed.file), `${WANTS}.wants`, installed.unit)), false);
    await assertNoScopes(bench);
  });
});

const WANTS = UID === 0 ? 'multi-user.target' : 'default.target';
