import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ExitFacts, judgeExit } from '../../../src/supervisor/lifecycle/exit-verdict.ts';
import { lastWords } from '../../../src/supervisor/lifecycle/host-log.ts';

const crash: ExitFacts = {
  hasEnded: false,
  isWaiting: false,
  endRequest: null,
  exit: { code: 70, signal: null },
  isOutOfMemory: false,
  isHeapExhausted: false,
  lastWords: '',
  isRefusedProcesses: false,
  processLimit: 8,
  memoryLimitBytes: 64 * 1024 * 1024,
  memoryPeakBytes: 64 * 1024 * 1024,
  breach: null,
  executionLimitMs: 1000,
  fruitless: 1,
  chance: 0.5,
  runningSteps: ['a'],
  startFailure: null,
};

function reasonOf(facts: Partial<ExitFacts>): string {
  const verdict = judgeExit({ ...crash, ...facts });
  return verdict.kind === 'close' ? `${verdict.event.error?.code} ${verdict.event.reason}` : verdict.kind;
}

test('an unexpected end is resumed until it is a crash loop, which tells the last words', () => {
  assert.equal(reasonOf({}), 'resume');
  assert.equal(
    reasonOf({ fruitless: 5, lastWords: 'Error: no' }),
    'CRASH_LOOP crash_loop: 5 starts without a completed step, last exit code 70: Error: no',
  );
});

test('a crash is resumed at once, the next ones later and later, spread by chance', () => {
  const delayOf = (fruitless: number, chance: number): number => {
    const verdict = judgeExit({ ...crash, fruitless, chance });
    return verdict.kind === 'resume' ? verdict.delayMs : Number.NaN;
  };
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((fruitless) => delayOf(fruitless, 0.5)),
    [0, 0, 100, 200, 400],
  );
  assert.deepEqual([delayOf(4, 0), delayOf(4, 0.999)], [300, 500]);
});

test('one that hung is resumed, and its silence is the last word of a crash loop', () => {
  const endRequest = { kind: 'hung', by: 'it was silent for 10 s' } as const;
  const exit = { code: null, signal: 'SIGKILL' };
  assert.equal(reasonOf({ endRequest, exit }), 'resume');
  assert.equal(
    reasonOf({ endRequest, exit, fruitless: 5 }),
    'CRASH_LOOP crash_loop: 5 starts without a completed step, last it was silent for 10 s',
  );
});

test('a limit that ended the process is named with its numbers', () => {
  assert.equal(
    reasonOf({ isRefusedProcesses: true, startFailure: 'it did not report in time' }),
    'PROCESS_LIMIT processes: 8 limit, too low for the instance process',
  );
  assert.equal(
    reasonOf({ isOutOfMemory: true, exit: { code: null, signal: 'SIGKILL' } }),
    'MEMORY_LIMIT oom: 64 MB limit, peak 64 MB, instance process, step a',
  );
  assert.equal(
    reasonOf({ endRequest: { kind: 'limit', by: 'memory' }, memoryPeakBytes: 64 * 1024 * 1024 + 1 }),
    'MEMORY_LIMIT oom: 64 MB limit, peak 65 MB, instance process, step a',
  );
});

test('the limit that ended a run comes as an event of its own, with its peak', () => {
  const hitOf = (facts: Partial<ExitFacts>): unknown => {
    const verdict = judgeExit({ ...crash, ...facts });
    return verdict.kind === 'close' ? verdict.hit : verdict.kind;
  };
  const hit = { type: 'limit.hit', path: null };
  assert.deepEqual(hitOf({ isHeapExhausted: true }), {
    ...hit,
    limit: 'memory',
    allowed: 67108864,
    peak: 67108864,
  });
  assert.deepEqual(hitOf({ endRequest: { kind: 'time_limit', by: 'supervisor' } }), {
    ...hit,
    limit: 'time',
    allowed: 1,
    peak: 1,
  });
  const breach = { limit: 'processes', allowed: 8, seen: 31 } as const;
  assert.deepEqual(hitOf({ endRequest: { kind: 'limit', by: 'processes' }, breach }), {
    ...hit,
    limit: 'processes',
    allowed: 8,
    peak: 31,
  });
  assert.equal(hitOf({ endRequest: { kind: 'killed', by: 'person' } }), null);
});

test('an end in the journal wins over everything else', () => {
  assert.equal(reasonOf({ hasEnded: true, isOutOfMemory: true, fruitless: 5 }), 'ended');
});

test('the last words are the last message of a log without its stack', () => {
  const log =
    'Error: first\n    at a.js:1\n\nWorkflowError: the second: ENOENT\n    at b.js:2 {\n  code: 1\n}\n';
  assert.equal(lastWords(log), 'WorkflowError: the second: ENOENT');
  assert.equal(lastWords('just text\n'), '');
});
