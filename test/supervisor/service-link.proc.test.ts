import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Diagnostics } from '../../src/supervisor/diagnostics.ts';
import { openServiceLink, type ServiceLink } from '../../src/supervisor/service-link.ts';
import { eventually } from '../setup/bench-home.ts';

describe('the link to the service manager', () => {
  let folder: string;
  let link: ServiceLink | null = null;
  const warnings: string[] = [];
  const log: Diagnostics = {
    info: () => undefined,
    warn: (message, fields) => void warnings.push(`${message}: ${String(fields?.['cause'])}`),
    error: () => undefined,
    close: async () => undefined,
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'qw-notify-'));
    warnings.length = 0;
  });
  afterEach(() => {
    link?.close();
    rmSync(folder, { recursive: true });
  });

  const install = (script: string): void =>
    writeFileSync(join(folder, 'systemd-notify'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const open = (more: NodeJS.ProcessEnv = {}): ServiceLink => {
    link = openServiceLink(
      { PATH: `${folder}:/usr/bin:/bin`, NOTIFY_SOCKET: '/s', ...more },
      process.pid,
      log,
    );
    return link;
  };
  const heard = (): string[] =>
    existsSync(join(folder, 'heard')) ? readFileSync(join(folder, 'heard'), 'utf8').trim().split('\n') : [];
  const LISTEN =
    'printf "%s|" "$NOTIFY_SOCKET" "$@" >> "$(dirname "$0")/heard"; echo >> "$(dirname "$0")/heard"';

  test('messages come in order, with the socket and nothing else of our environment', async () => {
    install(`${LISTEN}; env > "$(dirname "$0")/env"`);
    const it = open({ Q_WORKFLOW_API_KEY: 'secret' });
    const said = [it.ready(() => 'well'), it.reloading(), it.ready(() => 'well again'), it.stopping('bye')];
    await Promise.all(said);
    assert.deepEqual(
      heard().map((line) => line.replace(/MONOTONIC_USEC=\d+/, 'MONOTONIC_USEC=N')),
      [
        '/s|READY=1|STATUS=well|',
        '/s|RELOADING=1|MONOTONIC_USEC=N|STATUS=reading policies|',
        '/s|READY=1|STATUS=well again|',
        '/s|STOPPING=1|STATUS=bye|',
      ],
    );
    assert.doesNotMatch(readFileSync(join(folder, 'env'), 'utf8'), /secret/);
  });

  test('pings come from the event loop: a loop that is blocked sends none', async () => {
    install(LISTEN);
    await open({ WATCHDOG_USEC: '200000', WATCHDOG_PID: String(process.pid) }).ready(() => 'up');
    const pings = (): number => heard().filter((line) => line === '/s|WATCHDOG=1|STATUS=up|').length;
    await eventually('two pings', () => pings() >= 2);
    // What was on its way may still arrive while the loop stands.
    await eventually('an even moment', () => pings() >= 3);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    const before = pings();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
    assert.equal(pings(), before);
    await eventually('the next ping', () => pings() > before);
  });

  test('a missing systemd-notify is said once and ends nothing', async () => {
    const it = open({ PATH: folder, WATCHDOG_USEC: '20000' });
    await it.ready(() => 'well');
    await it.stopping('bye');
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0] ?? '',
      /^the service manager could not be told how we are: spawn systemd-notify ENOENT/,
    );
  });

  test('one that fails is said once, and tried again', async () => {
    install(`${LISTEN}; echo "no route" >&2; exit 1`);
    const it = open();
    await it.ready(() => 'well');
    await it.reloading();
    assert.deepEqual(warnings, ['the service manager could not be told how we are: no route']);
    assert.equal(heard().length, 2);
  });

  test('without a socket nothing is started', async () => {
    install(LISTEN);
    await open({ NOTIFY_SOCKET: '' }).ready(() => 'well');
    assert.deepEqual(heard(), []);
  });
});
