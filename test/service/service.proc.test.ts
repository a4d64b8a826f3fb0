import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { StatusDocument } from '../../src/protocol/control.ts';
import type { InstallDocument } from '../../src/service/install.ts';
import { eventually } from '../setup/bench-home.ts';
import { endOf, pidIn, startRun } from '../setup/leftovers.ts';
import { type FakeSystemd, lacksFakes, openFakeSystemd } from './fake-systemd.ts';

interface Status {
  readonly pid: number;
  readonly service: { readonly manager: string; readonly unit: string; readonly enabled: boolean } | null;
  readonly instances: Readonly<Record<string, number>>;
}

describe('a supervisor as a service', { timeout: 240_000, skip: lacksFakes }, () => {
  let systemd: FakeSystemd;
  const bench = () => systemd.bench;
  beforeEach(() => {
    systemd = openFakeSystemd();
    // Waits for its gate without using the processor.
    bench().script('wait.sh', 'echo $$ > pid.txt; until [ -e open ]; do sleep 0.1; done\n');
    bench().skill('wait', { type: 'code_inline', command: 'sh', args: ['wait.sh'] });
    bench().workflow('long', { steps: [{ id: 'a', type: 'skill', skill: 'wait' }] });
  });
  afterEach(() => bench().close());

  const install = async (...args: readonly string[]): Promise<InstallDocument> => {
    const { status, stdout, stderr } = await bench().q('supervisor', 'install', ...args, '--json');
    assert.equal(status, 0, `${stdout} ${stderr}`);
    return JSON.parse(stdout) as InstallDocument;
  };
  const status = async (): Promise<Status> => (await bench().json('supervisor', 'status')) as Status;
  const open = (): void => writeFileSync(join(bench().workspace, 'open'), '');
  const journal = (): { level: string; message: string }[] =>
    systemd.lines('journal').map((line) => {
      const [, json = ''] = /^<[346]>(\{.*\})$/.exec(line) ?? [];
      assert.notEqual(json, '', `no line with a level and JSON: ${line}`);
      return JSON.parse(json) as { level: string; message: string };
    });
  const startLong = async (): Promise<StatusDocument> => {
    const id = await startRun(bench(), 'long');
    await pidIn(join(bench().workspace, 'pid.txt'));
    return await bench().status(id);
  };

  test('install: it is ready, feeds the watchdog, logs to the journal, and status names it', async () => {
    const done = await install();
    assert.deepEqual([done.change, done.scope, done.pid], ['created', systemd.scope, systemd.mainPid()]);
    assert.match(done.unit, /^q-workflow-[0-9a-f]{8}\.service$/);
    assert.equal(readFileSync(systemd.unitFile(done.unit), 'utf8'), done.text);
    const first = systemd.lines('notify')[0];
    assert.match(first ?? '', /^READY=1\|STATUS=limits by [\w-]+; no instances\|$/);
    await eventually(
      'three pings',
      () => systemd.lines('notify').filter((line) => line.startsWith('WATCHDOG=1|STATUS=')).length >= 3,
    );
    assert.ok(journal().some(({ message }) => message === 'supervisor is ready'));
    assert.equal(existsSync(join(bench().home, 'log', 'supervisor.log')), false);
    const { service } = await status();
    assert.deepEqual(service, {
      manager: 'systemd',
      scope: systemd.scope,
      unit: done.unit,
      enabled: true,
    });
    const environment = readFileSync(`/proc/${done.pid}/environ`, 'utf8');
    assert.match(environment, /(?:^|\0)Q_WORKFLOW_ON_STOP=leave\0/);
    assert.equal((await install()).change, 'none');
    assert.equal(systemd.mainPid(), done.pid, 'the second install restarts nothing');
  });

  test('one started by hand is refused by name; stopped, its instances are taken over by the service', async () => {
    await bench().q('supervisor', 'start');
    assert.equal((await status()).service, null);
    const pid = await bench().supervisorPid();
    const before = await startLong();
    const refused = await bench().q('supervisor', 'install');
    assert.equal(refused.status, 5, refused.stderr);
    assert.match(refused.stderr, new RegExp(`supervisor ${pid} runs already for .*SUPERVISOR_RUNNING`));
    assert.match(refused.stderr, /q workflow supervisor stop \(its instances go on/);
    assert.equal((await bench().q('supervisor', 'stop')).status, 0);
    await install();
    assert.deepEqual((await status()).instances, { running: 1 });
    const after = await bench().status(before.id);
    assert.deepEqual([after.pid, after.incarnations], [before.pid, 1]);
    open();
    assert.equal((await endOf(bench(), before.id)).status, 'completed');
  });

  test('stop tells the manager too; a command that needs it has the manager start it', async () => {
    const { unit } = await install();
    const stopped = await bench().q('supervisor', 'stop');
    assert.equal(stopped.status, 0, stopped.stderr);
    const whose = systemd.scope === 'user' ? '--user ' : '';
    assert.equal(systemd.lines('calls').at(-1), `${whose}stop ${unit}`);
    await bench().q('supervisor', 'start');
    assert.equal(systemd.lines('calls').filter((call) => call === `${whose}start ${unit}`).length, 2);
    assert.equal((await status()).service?.unit, unit);
    assert.equal((await status()).pid, systemd.mainPid());
  });

  test('stop of one that does not answer goes to its manager', async () => {
    const { pid, unit } = await install();
    process.kill(pid ?? 0, 'SIGKILL');
    await eventually('it is gone', () => !existsSync(`/proc/${pid}/fd/1`));
    const stopped = await bench().q('supervisor', 'stop', '--json');
    assert.deepEqual([stopped.status, stopped.stdout], [0, '{"pid":null}\n']);
    assert.ok(systemd.lines('calls').at(-1)?.endsWith(`stop ${unit}`));
    // Which cannot stop instances first.
    assert.equal((await bench().q('supervisor', 'stop', '--instances', 'stop')).status, 5);
  });

  test('SIGTERM leaves instances running; a service that drains waits for them', async () => {
    const { pid, unit } = await install('--on-stop', 'drain');
    const run = await startLong();
    process.kill(pid ?? 0, 'SIGTERM');
    await eventually('it says that it stops', () =>
      systemd.lines('notify').includes('STOPPING=1|STATUS=waiting for instances to end|'),
    );
    const refused = await bench().q('run', 'long', '--json');
    assert.match(refused.stdout, /"code":"SHUTTING_DOWN"/);
    assert.equal((await status()).pid, pid, 'it answers while it waits');
    open();
    await eventually('it has left', () => !existsSync(`/proc/${pid}/fd/1`));
    assert.ok(journal().some(({ message }) => message === 'waiting for instances to end'));
    await bench().q('supervisor', 'start');
    assert.equal((await bench().status(run.id)).status, 'completed');
    assert.match(readFileSync(systemd.unitFile(unit), 'utf8'), /^TimeoutStopSec=165$/m);
  });

  test('a drain has a bound, and a second SIGTERM cuts it short: what runs is left running', async () => {
    for (const [seconds, hurry] of [
      ['1', false],
      ['600', true],
    ] as const) {
      const { pid } = await install('--on-stop', 'drain', '--drain-seconds', seconds);
      const run = await startLong();
      process.kill(pid ?? 0, 'SIGTERM');
      await eventually('it waits', () =>
        systemd.lines('notify').some((line) => line.startsWith('STOPPING=1')),
      );
      if (hurry) process.kill(pid ?? 0, 'SIGTERM');
      await eventually('it has left', () => !existsSync(`/proc/${pid}/fd/1`));
      assert.ok(existsSync(`/proc/${run.pid}`), 'the instance lives');
      assert.ok(journal().some(({ message }) => message === 'instances are left running'));
      await bench().q('supervisor', 'start');
      const now = await bench().status(run.id);
      assert.deepEqual([now.pid, now.incarnations], [run.pid, 1]);
    }
    open();
  });

  test('uninstall keeps data and instances; a purge is refused while one lives, then takes all', async () => {
    const { unit } = await install();
    const run = await startLong();
    const refused = await bench().q('supervisor', 'uninstall', '--purge');
    assert.equal(refused.status, 6, refused.stderr);
    assert.match(refused.stderr, /1 instance has not ended in .*; nothing was changed/);
    assert.equal((await status()).pid, systemd.mainPid());
    const removed = (await bench().json('supervisor', 'uninstall')) as { left_running: number };
    assert.equal(removed.left_running, 1);
    assert.equal(existsSync(systemd.unitFile(unit)), false);
    assert.ok(existsSync(`/proc/${run.pid}`), 'the instance lives');
    assert.equal((await bench().q('supervisor', 'uninstall')).status, 4);
    // Nothing speaks of a service any more: this one is started by the command.
    await bench().q('supervisor', 'start');
    assert.equal((await status()).service, null);
    open();
    assert.equal((await endOf(bench(), run.id)).status, 'completed');
    await bench().q('supervisor', 'stop');
    await install();
    const purged = (await bench().json('supervisor', 'uninstall', '--purge')) as {
      is_purged: boolean;
      kept: [];
    };
    assert.deepEqual([purged.is_purged, purged.kept], [true, []]);
    assert.equal(existsSync(bench().home), false);
  });

  test('a service whose settings are wrong says so in its log and is not ready', async () => {
    const done = await install();
    await bench().q('supervisor', 'stop');
    const text = readFileSync(systemd.unitFile(done.unit), 'utf8');
    writeFileSync(systemd.unitFile(done.unit), text.replace('ON_STOP=leave', 'ON_STOP=maybe'));
    const failed = await bench().q('supervisor', 'start');
    assert.equal(failed.status, 5);
    assert.match(failed.stderr, new RegExp(`start ${done.unit} failed: Job for ${done.unit} failed`));
    assert.match(systemd.lines('journal').join('\n'), /Q_WORKFLOW_ON_STOP is "maybe"; allowed: leave, drain/);
  });
});
