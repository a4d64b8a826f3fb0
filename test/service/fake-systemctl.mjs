/**
 * usage: node fake-systemctl.mjs FOLDER UNIT-FOLDER [--user] VERB …
 * Enough of systemctl for one unit: reads it, starts its main process with what systemd gives one (NOTIFY_SOCKET,
 * WATCHDOG_USEC, JOURNAL_STREAM, SYSTEMD_EXEC_PID), waits for READY=1, stops it by SIGTERM. FOLDER holds `calls`,
 * `journal`, `notify` (a line for each call of the fake systemd-notify) and `pid`.
 */
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const [folder, units, ...given] = process.argv.slice(2);
const [verb, ...words] = given.filter((word) => !word.startsWith('--'));
const at = (name) => join(folder, name);
const textOf = (name) => (existsSync(at(name)) ? readFileSync(at(name), 'utf8') : '');
appendFileSync(at('calls'), `${given.join(' ')}\n`);

switch (verb) {
  case 'show':
    process.stdout.write('252.39-1~deb12u1\n');
    break;
  case 'is-active':
    process.stdout.write(isAlive() ? 'active\n' : 'inactive\n');
    break;
  case 'is-enabled':
    process.stdout.write(existsSync(at('enabled')) ? 'enabled\n' : 'disabled\n');
    break;
  case 'enable':
    writeFileSync(at('enabled'), '');
    break;
  case 'start':
    if (!isAlive()) await start(words[0]);
    break;
  case 'restart':
    await stop();
    await start(words[0]);
    break;
  case 'stop':
    await stop();
    break;
  case 'disable':
    rmSync(at('enabled'), { force: true });
    await stop();
    break;
  default:
}

async function start(unit) {
  const lines = readFileSync(join(units, unit), 'utf8').split('\n');
  const settings = (name) =>
    lines.flatMap((line) => (line.startsWith(`${name}=`) ? [unquoted(line.slice(name.length + 1))] : []));
  const env = Object.fromEntries(settings('Environment').map((pair) => pair.split(/=(.*)/s).slice(0, 2)));
  const journal = openSync(at('journal'), 'a');
  const { dev, ino } = fstatSync(journal, { bigint: true });
  const line = 'SYSTEMD_EXEC_PID=$$ WATCHDOG_PID=$$; export SYSTEMD_EXEC_PID WATCHDOG_PID; exec "$@"';
  rmSync(at('notify'), { force: true });
  const child = spawn('/bin/sh', ['-c', line, 'sh', ...settings('ExecStart')[0].split(' ')], {
    env: { ...env, NOTIFY_SOCKET: at('socket'), WATCHDOG_USEC: '400000', JOURNAL_STREAM: `${dev}:${ino}` },
    detached: true,
    stdio: ['ignore', journal, journal],
  });
  writeFileSync(at('pid'), String(child.pid));
  child.unref();
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  const deadline = performance.now() + 30_000;
  while (!textOf('notify').includes('READY=1')) {
    if (ended || performance.now() > deadline) {
      process.stderr.write(`Job for ${unit} failed.\n`);
      process.exit(1);
    }
    await delay(20);
  }
}

async function stop() {
  const pid = Number(textOf('pid'));
  if (!isAlive()) return;
  process.kill(pid, 'SIGTERM');
  while (isAlive()) await delay(20);
}

/** Also false for one that nobody has reaped yet. */
function isAlive() {
  const pid = Number(textOf('pid'));
  if (pid === 0) return false;
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function unquoted(value) {
  const plain = value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value;
  return plain.replaceAll('%%', '%');
}
