/**
 * Recovery, proved: under load the supervisor, and now and then an instance, is killed with -9 at seeded points, as
 * often as Q_TEST_KILLS says (12; 1,000 in a soak). Q_TEST_SEED brings a run back,
 * Q_TEST_MINUTES ends it early.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { homeKey } from '../../../sandbox/choose.ts';
import { listLogs } from '../../../src/cli/logs/log-files.ts';
import type { JournalEntry } from '../../../src/engine/events.ts';
import type { Failpoint } from '../../../src/protocol/failpoint.ts';
import { type Bench, eventually, openBench } from '../../setup/bench-home.ts';
import { foldersOf, hostOf, processesOf, textOf } from '../../setup/leftovers.ts';
import { seededRandom } from '../../setup/seeded-random.ts';
import {
  EFFECTS,
  effects,
  installLoad,
  LOG_LINES,
  type Load,
  startDaemon,
  startLoad,
} from '../recovery-load.ts';

const isSoak = process.env['Q_TEST_SOAK'] === '1';
const KILLS = Number(process.env['Q_TEST_KILLS'] ?? (isSoak ? 1000 : 12));
const seed = Number(process.env['Q_TEST_SEED'] ?? Date.now() % 100_000);
const AT_ONCE = 5;
/** After so many all is let come to its end, and looked at. */
const BATCH = 50;
/** No further batch after this time. */
const DEADLINE_MS = Number(process.env['Q_TEST_MINUTES'] ?? 1_000) * 60_000;
/** A point that the load does not come to in this time is replaced by a kill at that moment. */
const POINT_DEADLINE_MS = 2_500;

/** Where a supervisor is killed, and up to which pass. */
const POINTS: readonly (readonly [Failpoint, number])[] = [
  ['supervisor.created', 3],
  ['supervisor.launch_committed', 3],
  ['supervisor.spawned', 3],
  ['supervisor.before_commit', 30],
  ['supervisor.after_commit', 30],
  ['supervisor.before_exit_record', 3],
  ['supervisor.after_exit_record', 3],
  ['supervisor.adopting', 3],
  ['supervisor.checkpoint_committed', 1],
  ['supervisor.anchored', 1],
];
/** Share of kills at a bare moment. */
const MOMENTS = 0.3;
const LATEST_MOMENT_MS = 900;
/** Share of those that count from its start, not from when it is ready. */
const EARLY = 0.4;
/** Share of rounds in which an instance is killed as well. */
const INSTANCES = 0.1;

describe(`the supervisor is killed ${KILLS} times under load (seed ${seed})`, { timeout: 10_800_000 }, () => {
  let bench: Bench;
  let load: Load;
  const hits = new Map<string, number>();
  let instanceKills = 0;
  /** Runs that were accepted before the batch. */
  let proved = 0;

  before(() => {
    bench = openBench();
    installLoad(bench);
    load = startLoad(bench, AT_ONCE);
  });
  after(async () => {
    load.stop();
    await bench.close();
  });

  async function round(chance: () => number): Promise<void> {
    const [point, passes] = POINTS[Math.floor(chance() * POINTS.length)] ?? ['supervisor.created', 1];
    const pass = 1 + Math.floor(chance() * passes);
    const isMoment = chance() < MOMENTS;
    const momentMs = chance() * LATEST_MOMENT_MS;
    const killsInstance = chance() < INSTANCES;
    const isEarly = chance() < EARLY;
    const { child, exited, ready } = startDaemon(bench, isMoment ? null : `${point}:${pass}`);
    // A busy machine takes its time to start one: what is to be reached counts from then.
    if (!(isMoment && isEarly)) await ready;
    const timer = setTimeout(() => child.kill('SIGKILL'), isMoment ? momentMs : POINT_DEADLINE_MS);
    if (killsInstance) instanceKills += killOne(load, chance) ? 1 : 0;
    const signal = await exited;
    clearTimeout(timer);
    assert.equal(
      signal,
      'SIGKILL',
      `the supervisor ended by itself: ${textOf(join(bench.workspace, 'supervisor.out'))}`,
    );
    const what = isMoment ? 'moment' : child.killed ? 'not reached' : point;
    hits.set(what, (hits.get(what) ?? 0) + 1);
  }

  /** Lets all that runs come to its end, and proves that it is whole; `from` is where rows are new. */
  async function prove(from: number): Promise<Proved> {
    const { child } = startDaemon(bench, null);
    await eventually('a run of this batch', () => load.accepted.size > proved, 30_000);
    load.hold();
    const rows = await eventually(
      'the end of all runs',
      () => {
        const now = readRows(bench);
        return load.isIdle() && now.every(({ endedAt }) => endedAt !== null) && now;
      },
      120_000,
      200,
    );
    assert.equal(child.exitCode, null);
    proved = load.accepted.size;
    const ids = new Set(rows.map(({ id }) => id));
    for (const id of load.accepted) assert.ok(ids.has(id), `the run ${id} was accepted and is lost`);
    const ran = effects(bench);
    let interruptions = 0;
    for (const row of rows.slice(from)) {
      assert.equal(row.status, 'completed', `${row.id} ended as ${row.status}: ${row.reason}`);
      const journal = bench.journal(row.id);
      interruptions += checkRun(row.id, journal, ran);
      checkLogs(bench, row.id);
      for (const path of load.told.get(row.id) ?? [])
        assert.ok(
          journal.some(({ event }) => event.type === 'step.completed' && event.path === path),
          `${path} of ${row.id} was told as completed and is not in the journal`,
        );
    }
    const verified = await bench.q('audit', 'verify');
    assert.equal(verified.status, 0, verified.stdout + verified.stderr);
    for (const { id } of rows.slice(from))
      assert.deepEqual(processesOf(id), [], `processes of ${id} are left`);
    assert.equal((await bench.q('supervisor', 'stop')).status, 0);
    assert.deepEqual(foldersOf(homeKey(bench.home)), []);
    const resumed = rows.filter(({ incarnation }) => incarnation > 1).length;
    return { runs: rows.length, resumed, interruptions };
  }

  test('what was begun ends, once, and nothing that was acknowledged is lost', {
    timeout: 10_800_000,
  }, async (t) => {
    const chance = seededRandom(seed);
    const begin = performance.now();
    let [kills, runs, interruptions] = [0, 0, 0];
    while (kills < KILLS && performance.now() - begin < DEADLINE_MS) {
      load.release();
      for (const end = Math.min(KILLS, kills + BATCH); kills < end; kills += 1)
        // A load that has failed says why; one that goes on says nothing yet.
        await Promise.race([round(chance), load.running]);
      const found = await prove(runs);
      runs = found.runs;
      interruptions += found.interruptions;
      const seconds = Math.round((performance.now() - begin) / 1000);
      t.diagnostic(
        `${kills} kills, and ${instanceKills} of instances, in ${seconds} s: ${runs} runs, ${load.accepted.size} accepted, ${found.resumed} resumed, ${interruptions} attempts interrupted`,
      );
    }
    load.stop();
    await load.running;
    t.diagnostic([...hits].map(([what, count]) => `${what} ${count}`).join(', '));
  });
});

test('a run is not to blame for supervisors that die while they start it', {
  timeout: 120_000,
}, async (t) => {
  const bench = openBench();
  t.after(() => bench.close());
  installLoad(bench);
  const first = startDaemon(bench, 'supervisor.created:1');
  await first.ready;
  await bench.q('run', 'short', '--detach');
  await first.exited;
  const ended = (): Row | undefined => readRows(bench).find(({ endedAt }) => endedAt !== null);
  // More starts than a crash loop has.
  for (let kill = 0; kill < 7; kill += 1) {
    const { exited } = startDaemon(bench, 'supervisor.launch_committed:1');
    const end = await Promise.race([exited, eventually('a start of the run', ended)]);
    assert.equal(end, 'SIGKILL');
  }
  startDaemon(bench, null);
  const run = await eventually('the end of the run', ended);
  assert.deepEqual([run.status, run.incarnation], ['completed', 8]);
});

interface Proved {
  readonly runs: number;
  readonly resumed: number;
  readonly interruptions: number;
}

interface Row {
  readonly id: string;
  readonly status: string;
  readonly reason: string | null;
  readonly endedAt: number | null;
  readonly incarnation: number;
}

function readRows(bench: Bench): Row[] {
  const database = new DatabaseSync(join(bench.home, 'q-workflow.db'), {
    readOnly: true,
    // A supervisor that comes after a crash holds it for itself while it recovers.
    timeout: 10_000,
  });
  try {
    return database
      .prepare('SELECT id, status, reason, ended_at, incarnation FROM instances ORDER BY rowid')
      .all()
      .map((row) => ({
        id: String(row['id']),
        status: String(row['status']),
        reason: row['reason'] === null ? null : String(row['reason']),
        endedAt: row['ended_at'] === null ? null : Number(row['ended_at']),
        incarnation: Number(row['incarnation']),
      }));
  } finally {
    database.close();
  }
}

/** Kills the process of a run that is under way; false when none has one now. */
function killOne({ open }: Load, chance: () => number): boolean {
  const ids = [...open];
  const id = ids[Math.floor(chance() * ids.length)];
  const pid = id === undefined ? undefined : hostOf(id);
  if (pid === undefined) return false;
  process.kill(pid, 'SIGKILL');
  return true;
}

/** No gap, one end, each effect once but for attempts that were interrupted. Answers how many were. */
function checkRun(id: string, journal: JournalEntry[], ran: ReadonlyMap<string, number>): number {
  assert.deepEqual(
    journal.map(({ seq }) => seq),
    journal.map((_, index) => index + 1),
    `the journal of ${id} has gaps`,
  );
  const events = journal.map(({ event }) => event);
  assert.equal(events.filter(({ type }) => type === 'run.ended').length, 1);
  let interrupted = 0;
  for (const path of EFFECTS) {
    const done = events.filter((event) => event.type === 'step.completed' && event.path === path);
    assert.equal(done.length, 1, `${path} of ${id} completed ${done.length} times`);
    const cut = events.filter((event) => event.type === 'step.interrupted' && event.path === path).length;
    const times = ran.get(`${id}:${path} 1`) ?? 0;
    assert.ok(
      times >= 1 && times <= 1 + cut,
      `${path} of ${id} ran ${times} times, interrupted ${cut} times`,
    );
    interrupted += cut;
  }
  return interrupted;
}

/** Of each step the log of the attempt that completed has every line. */
function checkLogs(bench: Bench, id: string): void {
  const folder = join(bench.home, 'instances', id);
  const wanted = Array.from({ length: LOG_LINES }, (_, index) => `line ${index + 1}\n`).join('');
  const { logs } = listLogs(folder);
  for (const path of EFFECTS) {
    const texts = logs
      .filter((log) => log.path === path)
      // One that was interrupted before it printed anything has no file.
      .map(({ file }) => textOf(join(folder, `${file}.log`)));
    assert.ok(
      texts.some((text) => text.includes(wanted)),
      `the log of ${path} of ${id} lacks lines: ${JSON.stringify(texts)}`,
    );
  }
}
