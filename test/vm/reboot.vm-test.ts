/**
 * An installed service over a reboot and a power cut, in three phases (Q_TEST_PHASE) between which `npm run test:vm`
 * restarts the VM: prepare, resume, finish.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { StatusDocument } from '../../src/protocol/control.ts';
import type { InstallDocument } from '../../src/service/install.ts';
import { type Bench, finish, openBench, ROOT } from '../setup/bench-home.ts';
import { connectTo } from '../setup/control.ts';
import { answering, endOf, patiently, startMany, UID, WHO } from './service.ts';

const PHASE = process.env['Q_TEST_PHASE'];
/** Not in /tmp, which is emptied at a boot. */
const NOTE = `/var/tmp/qw-reboot-${UID}.json`;

interface Note {
  readonly home: string;
  readonly workspace: string;
  readonly env: Record<string, string>;
  readonly unit: string;
  readonly id: string;
  readonly incarnations: number;
  readonly boot: string;
}

const readNote = (): Note => JSON.parse(readFileSync(NOTE, 'utf8')) as Note;
const writeNote = (note: Note): void => writeFileSync(NOTE, JSON.stringify(note), { flush: true });
const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const at = (note: Pick<Note, 'home'>): Bench => ({ home: note.home }) as Bench;

async function statusOf(note: Note): Promise<StatusDocument> {
  const client = await connectTo(at(note));
  try {
    return await client.call('instance.status', { id: note.id });
  } finally {
    client.close();
  }
}

/** The run goes on: its first step did not run again, its second one does. */
async function assertResumed(note: Note): Promise<StatusDocument> {
  const status = await patiently('the service answers', () => answering(at(note)));
  assert.equal(status.service?.unit, note.unit);
  const run = await patiently('the second step runs', async () => {
    const now = await statusOf(note);
    // The journal of its earlier process says that the step runs: it counts when this one runs too.
    return now.status === 'running' && now.steps[1]?.status === 'running' && now;
  });
  assert.equal(run.incarnations, note.incarnations + 1);
  assert.equal(readFileSync(join(note.workspace, 'count'), 'utf8'), 'once\n');
  return run;
}

function inPhase(phase: string, name: string, act: () => Promise<void>): void {
  if (PHASE === phase) test(name, act);
}

describe(`a reboot under an installed service, as ${WHO}`, { timeout: 900_000 }, () => {
  inPhase('prepare', 'prepare: a run is in its second step', async () => {
    const bench = openBench();
    if (UID !== 0) bench.env['XDG_CONFIG_HOME'] = join(userInfo().homedir, '.config');
    bench.script('count.sh', 'echo once >> count; sync\n');
    bench.script('wait.sh', 'until [ -e open ]; do sleep 1; done\n');
    bench.skill('count', { type: 'code_inline', command: 'sh', args: ['count.sh'] });
    bench.skill('wait', { type: 'code_inline', command: 'sh', args: ['wait.sh'] });
    bench.workflow('long', {
      steps: [
        { id: 'first', type: 'skill', skill: 'count' },
        { id: 'second', type: 'skill', skill: 'wait' },
      ],
    });
    const { status, stdout, stderr } = await finish(
      bench.start(['supervisor', 'install', '--json']),
      300_000,
    );
    assert.equal(status, 0, `${stdout} ${stderr}`);
    const { unit } = JSON.parse(stdout) as InstallDocument;
    const [id = ''] = await startMany(bench, 'long', 1);
    const { home, workspace } = bench;
    const env = Object.fromEntries(
      Object.entries(bench.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
    const note: Note = { home, workspace, env, unit, id, incarnations: 0, boot: bootId() };
    writeNote({ ...note, incarnations: (await assertResumed(note)).incarnations });
  });

  inPhase('resume', 'resume: after the boot it goes on by itself', async () => {
    const note = readNote();
    assert.notEqual(bootId(), note.boot, 'the machine was booted again');
    const { incarnations } = await assertResumed(note);
    writeNote({ ...note, incarnations, boot: bootId() });
  });

  test('finish: after the next boot too, to its end, and nothing is left', {
    skip: PHASE !== 'finish',
  }, async () => {
    const note = readNote();
    assert.notEqual(bootId(), note.boot, 'the machine was booted again');
    await assertResumed(note);
    writeFileSync(join(note.workspace, 'open'), '');
    assert.equal((await endOf(at(note), note.id)).status, 'completed');
    const q = (...args: readonly string[]) =>
      promisify(execFile)(join(ROOT, 'bin', 'q'), ['workflow', ...args], { env: note.env });
    assert.match((await q('audit', 'verify')).stdout, /./);
    const { stdout } = await q('supervisor', 'uninstall', '--purge', '--json');
    assert.equal((JSON.parse(stdout) as { is_purged: boolean }).is_purged, true);
    rmSync(dirname(note.home), { recursive: true });
    rmSync(NOTE);
  });
});
