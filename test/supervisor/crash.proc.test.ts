import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import { isAgentEvent } from '../../src/engine/agent-events.ts';
import type { JournalEntry } from '../../src/engine/events.ts';
import type { ApprovalDocument } from '../../src/protocol/approval-control.ts';
import type { StatusDocument } from '../../src/protocol/control.ts';
import type { Failpoint } from '../../src/protocol/failpoint.ts';
import { checkPairs } from '../agents/fake-world.ts';
import { type AgentBench, openAgentBench } from '../setup/agents.ts';
import { type Bench, eventually } from '../setup/bench-home.ts';
import { seededRandom } from '../setup/seeded-random.ts';
import { answerCrash, callCount, effectCounts, installCrashWorkflow } from './crash-workflow.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

/** An intent and its permit share one, and so do steps that run at the same time. */
const COMMITS_AT_LEAST = 18;
const isSoak = process.env['Q_TEST_SOAK'] === '1';

const seed = Number(process.env['Q_TEST_SEED'] ?? Date.now() % 100_000);

/** A soak goes on for hours, beside other work of the machine. */
const RUN_DEADLINE_MS = isSoak ? 300_000 : 30_000;
/** The first, the last and a seeded choice of one in `step` points in CI, all of them in a soak. */
function sample(count: number, step: number): number[] {
  const all = Array.from({ length: count }, (_, index) => index + 1);
  const chance = seededRandom(seed + count);
  return isSoak ? all : all.filter((point) => point === 1 || point === count || chance() < 1 / step);
}

describe(`a crash loses nothing and repeats nothing that completed (seed ${seed})`, {
  timeout: isSoak ? 86_400_000 : 1_800_000,
  skip: lacks,
}, () => {
  let desk: AgentBench;
  let bench: Bench;
  /** Events of the process that ends when the run waits for its approval, and of the one that goes on. */
  let beforeApproval = 0;
  let afterApproval = 0;
  let expected: Map<string, number>;

  before(async () => {
    desk = await openAgentBench(answerCrash);
    bench = desk.bench;
    installCrashWorkflow(bench);
    const run = await runToEnd('uncrashed');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.equal(run.context['counter'], 2);
    assert.equal(run.incarnations, 2);
    const events = bench.journal(run.id).map(({ event }) => event.type);
    beforeApproval = events.indexOf('run.resumed');
    afterApproval = events.length - beforeApproval;
    expected = effectCounts(bench);
    assert.ok(beforeApproval > 40 && afterApproval > 5, events.join(' '));
    assert.equal(callCount(bench), 1);
  });
  after(() => desk.close());

  /** Runs the workflow in the background, with a person who approves what waits once no process is left. */
  async function runToEnd(label: string): Promise<StatusDocument> {
    for (const file of ['effects.txt', 'calls.txt']) rmSync(join(bench.workspace, file), { force: true });
    const known = await latest();
    await bench.qWith(desk.env, 'run', 'crash', '--detach');
    let asked = '';
    return await eventually(
      `the end of the run after ${label}`,
      async () => {
        // The supervisor may be killed while it answers: then the command says so, and the next one starts another.
        const run = await latest();
        if (run === undefined || run.id === known?.id) return undefined;
        if (run.ended_at !== null) return bench.status(run.id);
        if (run.status !== 'waiting' || (await bench.status(run.id)).pid !== null) return undefined;
        const waiting = await bench.json('approvals', run.id);
        for (const { number } of Array.isArray(waiting) ? (waiting as ApprovalDocument[]) : []) {
          await bench.q('approve', run.id, String(number));
          asked += `${number} `;
        }
        return undefined;
      },
      RUN_DEADLINE_MS,
    ).finally(() => assert.match(asked, /^(1 )+$/, `${label}: approvals ${asked}`));
  }

  async function latest(): Promise<StatusDocument | undefined> {
    const answer = (await bench.json('status', '--all')) as StatusDocument[] | object;
    return Array.isArray(answer) ? (answer[0] as StatusDocument | undefined) : undefined;
  }

  async function crashAt(point: Failpoint, count: number, incarnation = 1): Promise<void> {
    const hasCrashed = await runWithCrash(point, count, incarnation);
    // The last events share a commit with the end of the process: a kill after that finds nothing left to resume.
    const ofProcess = incarnation === 1 ? beforeApproval : afterApproval;
    assert.ok(
      hasCrashed || count >= ofProcess - 4,
      `${point}:${count}@${incarnation} did not crash anything`,
    );
  }

  /** How many commits a run takes is a matter of its timing: a soak goes on until there is none left to crash at. */
  async function crashAtCommits(point: Failpoint): Promise<void> {
    for (const count of sample(COMMITS_AT_LEAST, 12)) await crashAt(point, count);
    let count = COMMITS_AT_LEAST + 1;
    while (isSoak && (await runWithCrash(point, count))) count += 1;
  }

  /** True when something was killed; whatever happened, nothing may be lost or repeated. */
  async function runWithCrash(point: Failpoint, count: number, incarnation = 1): Promise<boolean> {
    const label = `${point}:${count}@${incarnation}`;
    await bench.q('supervisor', 'stop');
    // A supervisor that is killed takes the command's connection with it; the run itself must go on.
    const started = await bench.qWith({ Q_WORKFLOW_FAILPOINT: label }, 'supervisor', 'start');
    assert.equal(started.status, 0, started.stderr);
    const supervisor = await bench.supervisorPid();
    const run = await runToEnd(label);
    assert.equal(run.status, 'completed', `${label}: ${JSON.stringify(run.error)} ${run.reason}`);
    assert.equal(run.context['counter'], 2, label);
    const journal = bench.journal(run.id);
    checkJournal(journal, label);
    checkEffects(journal, label);
    checkAgent(journal, label);
    return point.startsWith('supervisor')
      ? (await bench.supervisorPid()) !== supervisor
      : run.incarnations > 2;
  }

  /** The one call ran at most once, was told its end, and no request was forgotten in the count. */
  function checkAgent(journal: JournalEntry[], label: string): void {
    const events = journal.flatMap(({ event }) => (isAgentEvent(event) ? [event] : []));
    checkPairs(events);
    const ends = events.flatMap((event) => (event.type === 'agent.tool_ended' ? [event.outcome] : []));
    assert.equal(ends.length, 1, label);
    const times = callCount(bench);
    assert.ok(
      ends[0] === 'ok' ? times === 1 : ends[0] === 'interrupted' && times <= 1,
      `${label}: ${ends.join()} ${times}`,
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
    for (const count of sample(beforeApproval, 14)) await crashAt('instance.append', count);
    for (const count of sample(afterApproval, 5)) await crashAt('instance.append', count, 2);
  });

  test('the instance is killed when an event has been acknowledged', async () => {
    for (const count of sample(beforeApproval - 1, 16)) await crashAt('instance.acked', count);
    for (const count of sample(afterApproval - 1, 6)) await crashAt('instance.acked', count, 2);
  });

  test('the instance is killed between an effect and its record', async () => {
    for (const count of sample(15, 7)) await crashAt('instance.effect_done', count);
    await crashAt('instance.effect_done', 1, 2);
  });

  test('the supervisor is killed before it commits events', async () => {
    await crashAtCommits('supervisor.before_commit');
  });

  test('the supervisor is killed after a commit and before the ack', async () => {
    await crashAtCommits('supervisor.after_commit');
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
