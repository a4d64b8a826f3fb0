import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { SupervisorStatus } from '../../src/protocol/control.ts';
import { type Home, locateHome, prepareHome } from '../../src/protocol/home.ts';
import { takeLock } from '../../src/protocol/lock.ts';
import type { ServiceFacts } from '../../src/protocol/service.ts';
import { managerFor, serviceHome, serviceScope } from '../../src/service/choose-manager.ts';
import { type InstallDocument, installService } from '../../src/service/install.ts';
import type { ServiceManager } from '../../src/service/manager.ts';
import { readServiceMark } from '../../src/service/service-mark.ts';
import { type UninstallDocument, uninstallService } from '../../src/service/uninstall.ts';
import { quietStatus } from '../setup/supervisor-status.ts';
import { type FakeSystemctl, fakeSystemctl } from './fake-manager.ts';

describe('a service of systemd', () => {
  let base: string;
  let home: Home;
  let systemctl: FakeSystemctl;
  let manager: ServiceManager;
  let env: NodeJS.ProcessEnv;
  let running: SupervisorStatus | null;
  let pid = 0;

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'qw-service-'));
    env = { HOME: base, PATH: '/usr/bin', Q_WORKFLOW_HOME: join(base, 'state') };
    home = locateHome(env);
    running = null;
    systemctl = fakeSystemctl(() => {
      pid += 1;
      const service = { manager: 'systemd', scope: 'user', unit: manager.unit } as const;
      running = { ...statusOf(pid, service), started_at: new Date().toISOString() };
    });
    manager = managerFor('user', home, { platform: 'linux', uid: 1000, env, run: systemctl.run });
  });
  afterEach(() => rmSync(base, { recursive: true }));

  const install = (
    onStop: 'leave' | 'drain' = 'leave',
    mode: 'do' | 'dry_run' = 'do',
  ): Promise<InstallDocument> =>
    installService({ home, manager, env, onStop, drainSeconds: 5, mode, look: async () => running });
  const uninstall = (data: 'keep' | 'purge' = 'keep'): Promise<UninstallDocument> =>
    uninstallService({ home, manager, data, mode: 'do' });
  /** A database with as many instances, of which some have not ended. */
  const database = (live: number): void => {
    const file = new DatabaseSync(home.database);
    file.exec('CREATE TABLE instances (id TEXT, ended_at INTEGER)');
    for (let index = 0; index < live + 2; index += 1)
      file.prepare('INSERT INTO instances VALUES (?, ?)').run(`i${index}`, index < live ? null : 1);
    file.close();
  };
  const verbs = (): string[] =>
    systemctl.calls.map((call) => call.replace('systemctl --user ', '').replace(manager.unit, 'UNIT'));

  test('the first install writes, loads, enables and starts it, and notes it in the state folder', async () => {
    const done = await install();
    assert.deepEqual([done.change, done.pid, done.scope], ['created', pid, 'user']);
    assert.deepEqual(verbs(), ['daemon-reload', 'enable UNIT', 'start UNIT']);
    assert.equal(done.file, join(base, '.config', 'systemd', 'user', manager.unit));
    assert.equal(readFileSync(done.file, 'utf8'), done.text);
    assert.deepEqual(readdirSync(dirname(done.file)), [manager.unit], 'no half of a file is left');
    assert.equal(readServiceMark(home)?.unit, manager.unit);
    assert.equal(statSync(home.serviceFile).mode & 0o777, 0o600);
    assert.equal(done.log, `journalctl --user -u ${manager.unit} -f -o cat`);
  });

  test('the second one changes and restarts nothing', async () => {
    await install();
    systemctl.calls.length = 0;
    assert.equal((await install()).change, 'none');
    assert.deepEqual(verbs(), ['enable UNIT', 'start UNIT']);
  });

  test('other settings replace the unit and restart it', async () => {
    await install();
    systemctl.calls.length = 0;
    const done = await install('drain');
    assert.equal(done.change, 'replaced');
    assert.deepEqual(verbs(), ['daemon-reload', 'enable UNIT', 'restart UNIT']);
    assert.match(readFileSync(done.file, 'utf8'), /^Environment=Q_WORKFLOW_ON_STOP=drain$/m);
  });

  test('one that was cut short behind its unit is ended by the next: what runs is older than the unit', async () => {
    await install();
    const before = {
      ...(running as SupervisorStatus),
      started_at: new Date(Date.now() - 5000).toISOString(),
    };
    for (const verb of ['daemon-reload', 'restart']) {
      running = before;
      systemctl.failing = { verb, complaint: 'killed' };
      await assert.rejects(install(verb === 'restart' ? 'leave' : 'drain'), { code: 'SERVICE_FAILED' });
      systemctl.failing = null;
      systemctl.calls.length = 0;
      assert.equal((await install(verb === 'restart' ? 'leave' : 'drain')).change, 'none');
      assert.deepEqual(verbs(), ['daemon-reload', 'enable UNIT', 'restart UNIT']);
    }
  });

  test('a dry run touches nothing, also where systemd does not answer', async () => {
    systemctl.failing = { verb: 'show', complaint: 'no bus' };
    const planned = await install('leave', 'dry_run');
    assert.deepEqual([planned.change, planned.pid, planned.is_dry_run], ['created', null, true]);
    assert.ok(planned.notices.includes('systemd does not answer here: it could not be installed'));
    assert.deepEqual([readdirSync(base), systemctl.calls], [[], []]);
    await assert.rejects(install(), {
      code: 'SERVICE_UNAVAILABLE',
      message: 'systemd of the user does not answer: no bus',
    });
    assert.deepEqual(readdirSync(base), []);
  });

  test('a unit that we did not write is refused, by install and uninstall', async () => {
    mkdirSync(dirname(manager.file), { recursive: true });
    writeFileSync(manager.file, '[Service]\nExecStart=/mine\n');
    const refusal = {
      code: 'SERVICE_FOREIGN',
      message: `${manager.file} was not written by q workflow supervisor install`,
    };
    await assert.rejects(install(), refusal);
    await assert.rejects(uninstall(), refusal);
    assert.equal(readFileSync(manager.file, 'utf8'), '[Service]\nExecStart=/mine\n');
    assert.deepEqual(systemctl.calls, []);
  });

  test('a supervisor that somebody started by hand is named with the way out', async () => {
    running = { ...statusOf(4711, null), home: home.folder };
    await assert.rejects(install(), {
      code: 'SUPERVISOR_RUNNING',
      message: `supervisor 4711 runs already for ${home.folder}`,
      hint: 'Run q workflow supervisor stop (its instances go on, the service takes them over), then install again.',
    });
    assert.equal(existsSync(manager.file), false);
  });

  test('a start that fails says what systemd said and where the log is; the unit stays for a look', async () => {
    systemctl.failing = { verb: 'start', complaint: 'Job failed.' };
    await assert.rejects(install(), {
      code: 'SERVICE_FAILED',
      message: `systemctl --user start ${manager.unit} failed: Job failed.`,
      hint: `Read its log: journalctl --user -u ${manager.unit} -e`,
    });
    assert.ok(existsSync(manager.file));
  });

  test('uninstall stops and removes it and keeps the data', async () => {
    await install();
    database(2);
    writeFileSync(`${manager.file}.new`, 'half');
    systemctl.calls.length = 0;
    const done = await uninstall();
    assert.deepEqual([done.is_purged, done.left_running], [false, 2]);
    assert.deepEqual(verbs(), ['disable --now UNIT', 'reset-failed UNIT', 'daemon-reload']);
    assert.deepEqual([readdirSync(dirname(manager.file)), existsSync(home.serviceFile)], [[], false]);
    assert.ok(existsSync(home.database));
    await assert.rejects(uninstall(), {
      code: 'SERVICE_NOT_FOUND',
      message: `no service is installed for ${home.folder}`,
    });
  });

  test('an uninstall that was cut short behind its unit is ended by the next, with its purge', async () => {
    for (const data of ['keep', 'purge'] as const) {
      await install();
      systemctl.failing = { verb: 'daemon-reload', complaint: 'killed' };
      await assert.rejects(uninstall(data), { code: 'SERVICE_FAILED' });
      systemctl.failing = null;
      assert.deepEqual([existsSync(manager.file), existsSync(home.serviceFile)], [false, true]);
      systemctl.calls.length = 0;
      await uninstall(data);
      assert.deepEqual(verbs(), ['daemon-reload']);
      assert.equal(existsSync(home.serviceFile), false);
      assert.equal(existsSync(home.keysFolder), data === 'keep');
    }
  });

  test('a purge that was cut short is ended by the next, whatever is left', async () => {
    await install();
    rmSync(manager.file);
    rmSync(home.keysFolder, { recursive: true });
    assert.deepEqual((await uninstall('purge')).kept, []);
    assert.equal(existsSync(home.folder), false);
  });

  test('the note of another service is none of a service that is not installed', async () => {
    await install();
    const note = { manager: 'systemd', scope: 'system', unit: 'q-workflow.service', file: '/etc/other' };
    writeFileSync(home.serviceFile, JSON.stringify(note));
    rmSync(manager.file);
    await assert.rejects(uninstall(), { code: 'SERVICE_NOT_FOUND' });
    assert.equal(existsSync(home.serviceFile), true);
  });

  test('a purge is refused while an instance has not ended, and then nothing was touched', async () => {
    await install();
    database(1);
    systemctl.calls.length = 0;
    await assert.rejects(uninstall('purge'), {
      code: 'PURGE_REFUSED',
      message: `1 instance has not ended in ${home.folder}; nothing was changed`,
    });
    assert.deepEqual([systemctl.calls, existsSync(manager.file)], [[], true]);
  });

  test('a purge removes what is ours, and says what is not', async () => {
    await install();
    database(0);
    for (const name of [
      'lock.db',
      'seccomp.bpf',
      'spool-0a-1.jsonl',
      'q-workflow.db-wal',
      'kill-drill.json.12.new',
    ])
      writeFileSync(join(home.folder, name), '');
    mkdirSync(home.draftsFolder);
    writeFileSync(join(home.folder, 'thesis.txt'), 'mine');
    rmSync(join(home.folder, 'lock.db'));
    const done = await uninstall('purge');
    assert.deepEqual([done.is_purged, done.kept], [true, ['thesis.txt']]);
    assert.deepEqual(readdirSync(home.folder), ['thesis.txt']);
  });

  test('a purge leaves no empty folder', async () => {
    await install();
    assert.deepEqual((await uninstall('purge')).kept, []);
    assert.equal(existsSync(home.folder), false);
  });

  test('a purge does not remove what another supervisor uses', async () => {
    await install();
    const lock = takeLock(home.lockFile);
    await assert.rejects(uninstall('purge'), {
      code: 'PURGE_REFUSED',
      message: `another supervisor has started on ${home.folder} meanwhile`,
    });
    lock?.release();
    assert.ok(existsSync(home.keysFolder));
  });

  test('a purge that cannot read the database is refused', async () => {
    await install();
    writeFileSync(home.database, 'no database at all, but some text that is long enough');
    await assert.rejects(uninstall('purge'), { code: 'PURGE_REFUSED', message: /cannot tell what runs/ });
  });

  test('a note whose unit was removed by hand counts for nothing', async () => {
    await install();
    rmSync(manager.file);
    assert.equal(readServiceMark(home), null);
    prepareHome(home);
    writeFileSync(home.serviceFile, '{"half');
    assert.equal(readServiceMark(home), null);
  });
});

test('each home has a unit of its own; the usual ones have the plain name', () => {
  const at = (scope: 'user' | 'system', env: NodeJS.ProcessEnv): string => {
    const place = { platform: 'linux', uid: 1000, env, run: fakeSystemctl().run } as const;
    return managerFor(scope, serviceHome(scope, env), place).file;
  };
  assert.equal(at('user', { HOME: '/home/me' }), '/home/me/.config/systemd/user/q-workflow.service');
  assert.equal(at('system', {}), '/etc/systemd/system/q-workflow.service');
  assert.match(
    at('system', { Q_WORKFLOW_HOME: '/data/q' }),
    /^\/etc\/systemd\/system\/q-workflow-[0-9a-f]{8}\.service$/,
  );
  assert.match(
    at('user', { HOME: '/home/me', Q_WORKFLOW_HOME: '/data/q', XDG_CONFIG_HOME: '/c' }),
    /^\/c\/systemd\/user\/q-workflow-[0-9a-f]{8}\.service$/,
  );
});

test('whose service is meant', () => {
  const place = (uid: number, platform: NodeJS.Platform = 'linux') => ({
    platform,
    uid,
    env: {},
    run: fakeSystemctl().run,
  });
  assert.equal(serviceScope(null, place(0)), 'system');
  assert.equal(serviceScope(null, place(1000)), 'user');
  assert.equal(serviceScope(null, place(501, 'darwin')), 'user');
  assert.throws(() => serviceScope('system', place(1000)), { code: 'USAGE' });
  assert.throws(() => serviceScope('user', place(0)), { code: 'USAGE' });
  assert.throws(() => serviceScope('system', place(501, 'darwin')), { code: 'USAGE' });
});

test('other systems have no service manager that we know', () => {
  const env = { Q_WORKFLOW_HOME: '/h' };
  const place = { platform: 'win32', uid: 0, env, run: fakeSystemctl().run } as const;
  assert.throws(() => managerFor('user', locateHome(env), place), {
    code: 'SERVICE_UNAVAILABLE',
    message: 'no service manager of win32 is known',
  });
});

function statusOf(pid: number, service: ServiceFacts | null): SupervisorStatus {
  return quietStatus({ pid, service });
}
