import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { JournalEntry } from '../../src/engine/events.ts';
import type { StatusDocument } from '../../src/protocol/control.ts';
import type { Failpoint } from '../../src/protocol/failpoint.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import { seededRandom } from '../setup/seeded-random.ts';
import { effectCounts, installCrashWorkflow } from './crash-workflow.ts';

const isSoak = process.env['Q_TEST_SOAK'] === '1';

const seed = Number(process.env['Q_TEST_SEED'] ?? Date.now() % 100_000);

/** The first, the last and a seeded choice of one in `step` points in CI, all of them in a soak. */
function sample(count: number, step: number): number[] {
  const all = Array.from({ length: count }, (_, index) => index + 1);
  const chance = seededRandom(seed + count);
  return isSoak ? all : all.filter((point) => point === 1 || point === count || chance() < 1 / step);
}

describe(`a crash loses nothing and repeats nothing that completed (seed ${seed})`, {
  timeout: 1_800_000,
}, () => {
  let bench: Bench;
  let eventCount = 0;
  let expected: Map<string, number>;

  before(async () => {
    bench = openBench();
    installCrashWorkflow(bench);
    const run = (await bench.json('run', 'crash')) as StatusDocument;
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.equal(run.context['counter'], 2);
    eventCount = bench.journal(run.id).length;
    expected = effectCounts(bench);
    assert.ok(eventCount > 40, `only ${eventCount} events`);
  });
  after(() => bench.close());

  async function crashAt(point: Failpoint, count: number): Promise<void> {
    const label = `${point}:${count}`;
    rmSync(join(bench.workspace, 'effects.txt'), { force: true });
    await bench.q('supervisor', 'stop');
    // A supervisor that is killed takes the command's connection with it; the run itself must go on.
    const started = await bench.qWith({ Q_WORKFLOW_FAILPOINT: label }, 'supervisor', 'start');
    assert.equal(started.status, 0, started.stderr);
    await bench.q('run', 'crash', '--detach');
    const end = await eventually(`the end of the run after ${label}`, async () => {
      // The supervisor may be killed while it answers: then the command says so, and the next one starts another.
      const answer = (await bench.json('status', '--all')) as
        | { id: string; ended_at: string | null }[]
        | object;
      const latest = Array.isArray(answer) ? answer[0] : undefined;
      return latest !== undefined && latest.ended_at !== null && latest.id;
    });
    const run = await bench.status(end);
    assert.equal(run.status, 'completed', `${label}: ${JSON.stringify(run.error)} ${run.reason}`);
    assert.equal(run.context['counter'], 2, label);
    const journal = bench.journal(end);
    checkJournal(journal, label);
    checkEffects(journal, label);
    // The last events share a commit with the end of the run: a kill after that finds nothing left to resume.
    const isAtEnd = count >= eventCount - 4;
    assert.ok(
      run.incarnations > 1 || point.startsWith('supervisor') || isAtEnd,
      `${label} did not crash anything`,
    );
  }

  /** Numbers without gaps, one end, and no step completed twice. */
  function checkJournal(journal: JournalEntry[], label: string): void {
    assert.deepEqual(
      journal.map((entry) => entry.seq),
      journal.map((_, index) => index + 1),
      label,
    );
    assert.equal(journal.filter((entry) => entry.event.type === 'run.ended').length, 1, label);
    const completed = journal.flatMap(({ event }) => (event.type === 'step.completed' ? [event.path] : []));
    assert.deepEqual(completed, [...new Set(completed)], label);
  }

  /** Every effect of an uncrashed run is there; one is there more often only if its attempt was interrupted. */
  function checkEffects(journal: JournalEntry[], label: string): void {
    const interrupted = new Map<string, number>();
    for (const { event } of journal)
      if (event.type === 'step.interrupted')
        interrupted.set(
          `${event.path} ${event.attempt}`,
          (interrupted.get(`${event.path} ${event.attempt}`) ?? 0) + 1,
        );
    const seen = effectCounts(bench);
    assert.deepEqual([...seen.keys()].sort(), [...expected.keys()].sort(), label);
    for (const [key, times] of seen) {
      const allowed = 1 + (interrupted.get(key) ?? 0);
      assert.ok(times >= 1 && times <= allowed, `${label}: ${key} ran ${times} times, ${allowed} allowed`);
    }
  }

  test('the instance is killed before an event is sent', async () => {
    for (const count of sample(eventCount, 9)) await crashAt('instance.append', count);
  });

  test('the instance is killed when an event has been acknowledged', async () => {
    for (const count of sample(eventCount - 1, 11)) await crashAt('instance.acked', count);
  });

  test('the instance is killed between an effect and its record', async () => {
    for (const count of sample(14, 5)) await crashAt('instance.effect_done', count);
  });

  test('the supervisor is killed before it commits events', async () => {
    for (const count of sample(25, 8)) await crashAt('supervisor.before_commit', count);
  });

  test('the supervisor is killed after a commit and before the ack', async () => {
    for (const count of sample(25, 8)) await crashAt('supervisor.after_commit', count);
  });

  test('the supervisor is killed around the start and the end of an instance', async () => {
    for (const point of [
      'supervisor.created',
      'supervisor.launch_committed',
      'supervisor.spawned',
      'supervisor.before_exit_record',
      'supervisor.after_exit_record',
    ] as const)
      await crashAt(point, 1);
  });

  test('a resume that was asked for survives the supervisor, with the step it begins from', async () => {
    bench.script('gate.sh', 'echo x >> "$SKILL_PARAM_file"; [ -e gate-is-open ] || exit 4\n');
    bench.skill('gate', { type: 'code_inline', command: 'sh', args: ['gate.sh'] });
    const gate = (id: string): object => ({
      id,
      type: 'skill',
      skill: 'gate',
      inputs: { file: `ran-${id}.txt` },
    });
    bench.workflow('gates', {
      steps: [{ id: 'zero', type: 'skill', skill: 'effect' }, gate('one'), gate('two')],
    });
    const failed = (await bench.json('run', 'gates')) as StatusDocument;
    assert.equal(failed.status, 'failed');
    writeFileSync(join(bench.workspace, 'gate-is-open'), '');
    await bench.q('supervisor', 'stop');
    await bench.qWith({ Q_WORKFLOW_FAILPOINT: 'supervisor.requeued:1' }, 'supervisor', 'start');
    await bench.q('resume', failed.id, '--from', 'zero', '--detach');
    const end = await eventually('the end of the resumed run', async () => {
      const run = await bench.status(failed.id);
      return run.ended_at !== null && run.ended_at !== failed.ended_at && run;
    });
    assert.equal(end.status, 'completed', JSON.stringify(end.error));
    const resumed = bench.journal(failed.id).find(({ event }) => event.type === 'run.resumed')?.event;
    assert.ok(resumed?.type === 'run.resumed' && resumed.cause === 'requested' && resumed.from === 'zero');
  });
});
