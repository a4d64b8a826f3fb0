import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Capacity,
  createLedger,
  type Demand,
  type Ledger,
} from '../../../src/supervisor/admission/capacity.ts';
import { AGING_MS, MAX_OVERTAKEN } from '../../../src/supervisor/admission/turn-order.ts';

const MB = 1024 * 1024;
const CAPACITY: Capacity = { memoryBytes: 100 * MB, cpuPercent: 1000, concurrentStarts: 8 };

function ask(id: string, megabytes: number, more: Partial<Demand> = {}): Demand {
  return { id, workflow: 'w', priority: 0, memoryBytes: megabytes * MB, cpuPercent: 1, ...more };
}

/** A ledger whose clock stands still unless a test moves it. */
function open(capacity: Partial<Capacity> = {}): Ledger & { clock: { ms: number } } {
  const clock = { ms: 0 };
  return Object.assign(
    createLedger({ ...CAPACITY, ...capacity }, () => clock.ms),
    { clock },
  );
}

const ids = (demands: readonly { id: string }[]): string[] => demands.map(({ id }) => id);
const letters = (order: readonly string[]): string => order.map((id) => id[0]).join('');

/** Admits, starts and ends one after the other until nothing waits; answers the order. */
function drain(ledger: Ledger): string[] {
  const order: string[] = [];
  for (let admitted = ledger.admit(); admitted.length > 0; admitted = ledger.admit())
    for (const { id } of admitted) {
      order.push(id);
      ledger.release(id);
    }
  return order;
}

test('what can never fit is refused with both numbers, what fits exactly is not', () => {
  const ledger = open();
  assert.equal(ledger.refuses(100 * MB), null);
  assert.equal(
    ledger.refuses(101 * MB),
    'it asks for 101 MB of memory and this machine gives 100 MB to workflows',
  );
});

test('runs of one workflow go in the order in which they came, and say what they wait for', () => {
  const ledger = open();
  for (const [id, size] of [
    ['a', 60],
    ['b', 60],
    ['c', 10],
  ] as const)
    ledger.enqueue(ask(id, size));
  assert.deepEqual(ids(ledger.admit()), ['a']);
  assert.deepEqual(ledger.admit(), []);
  assert.deepEqual(ledger.queue(), [
    { id: 'b', workflow: 'w', priority: 0, waits_for: '60 MB of memory (40 MB of 100 MB free)' },
    { id: 'c', workflow: 'w', priority: 0, waits_for: '1 before it in the queue' },
  ]);
  assert.equal(ledger.waitsFor('b'), '60 MB of memory (40 MB of 100 MB free)');
  assert.equal(ledger.waitsFor('c'), 'its turn (2 wait)');
  assert.equal(ledger.waitsFor('a'), null);
  ledger.release('a');
  assert.deepEqual(ids(ledger.admit()), ['b', 'c']);
});

test('CPU is counted as declared, and more than the machine has counts as the machine', () => {
  const ledger = open({ cpuPercent: 200 });
  ledger.enqueue(ask('a', 1, { cpuPercent: 150 }));
  ledger.enqueue(ask('b', 1, { cpuPercent: 51 }));
  assert.deepEqual(ids(ledger.admit()), ['a']);
  assert.equal(ledger.waitsFor('b'), '51 % of CPU (50 % of 200 % free)');
  assert.deepEqual(ledger.promised, { memoryBytes: MB, cpuPercent: 150 });
  ledger.release('a');
  ledger.release('b');
  ledger.enqueue(ask('huge', 1, { cpuPercent: 6400 }));
  assert.deepEqual(ids(ledger.admit()), ['huge']);
  assert.deepEqual(ledger.promised, { memoryBytes: MB, cpuPercent: 200 });
});

test('only so many are in their start-up at once', () => {
  const ledger = open({ concurrentStarts: 2 });
  for (const id of ['a', 'b', 'c']) ledger.enqueue(ask(id, 1));
  assert.deepEqual(ids(ledger.admit()), ['a', 'b']);
  assert.equal(ledger.queue()[0]?.waits_for, 'a start (2 are starting)');
  ledger.started('a');
  assert.deepEqual(ids(ledger.admit()), ['c']);
});

test('an adopted one is held whatever is free, and leaves the queue', () => {
  const ledger = open({ concurrentStarts: 2 });
  ledger.enqueue(ask('a', 50));
  ledger.hold(ask('a', 500));
  assert.deepEqual(ledger.queue(), []);
  ledger.enqueue(ask('b', 1));
  assert.deepEqual(ledger.admit(), []);
  assert.match(ledger.queue()[0]?.waits_for ?? '', /^1 MB of memory \(0 MB of 100 MB free\)$/);
});

test('the higher priority goes first', () => {
  const ledger = open({ memoryBytes: MB });
  ledger.enqueue(ask('normal', 1));
  ledger.enqueue(ask('low', 1, { priority: -10 }));
  ledger.enqueue(ask('high', 1, { priority: 10 }));
  assert.deepEqual(ids(ledger.queue()), ['high', 'normal', 'low']);
  assert.deepEqual(drain(ledger), ['high', 'normal', 'low']);
});

test('a low priority that has waited long enough goes before a high one that comes now', () => {
  const ledger = open({ memoryBytes: MB });
  ledger.enqueue(ask('low', 1, { priority: -10 }));
  ledger.clock.ms = 20 * AGING_MS;
  ledger.enqueue(ask('high', 1, { priority: 10 }));
  // Equal by now: who came first.
  assert.deepEqual(drain(ledger), ['low', 'high']);
});

test('a workflow with 1,000 queued runs does not keep the only run of another waiting', () => {
  const ledger = open({ memoryBytes: MB });
  for (let number = 0; number < 1000; number += 1) ledger.enqueue(ask(`a${number}`, 1, { workflow: 'many' }));
  assert.deepEqual(ids(ledger.admit()), ['a0']);
  ledger.enqueue(ask('b', 1, { workflow: 'one' }));
  assert.equal(ledger.queue()[0]?.id, 'b');
  ledger.release('a0');
  assert.deepEqual(ids(ledger.admit()), ['b']);
});

test('workflows take turns, whatever each has queued', () => {
  const ledger = open({ memoryBytes: MB });
  for (const workflow of ['a', 'b', 'c'])
    for (let number = 0; number < 4; number += 1)
      ledger.enqueue(ask(`${workflow}${number}`, 1, { workflow }));
  assert.equal(letters(ids(ledger.queue())), 'abcabcabcabc');
  assert.equal(letters(drain(ledger)), 'abcabcabcabc');
});

test('what comes free goes to the workflow that holds less', () => {
  const ledger = open({ memoryBytes: 4 * MB });
  for (let number = 0; number < 6; number += 1) ledger.enqueue(ask(`a${number}`, 1, { workflow: 'a' }));
  assert.deepEqual(ids(ledger.admit()), ['a0', 'a1', 'a2', 'a3']);
  for (let number = 0; number < 6; number += 1) ledger.enqueue(ask(`b${number}`, 1, { workflow: 'b' }));
  const next: string[] = [];
  for (const id of ['a0', 'a1']) {
    ledger.release(id);
    next.push(...ids(ledger.admit()));
  }
  assert.deepEqual(next, ['b0', 'b1']);
});

test('a large one is passed by small ones of others, but not for ever', () => {
  const ledger = open();
  ledger.enqueue(ask('holder', 50, { workflow: 'holder' }));
  assert.deepEqual(ids(ledger.admit()), ['holder']);
  ledger.enqueue(ask('large', 60, { workflow: 'large' }));
  const passed: string[] = [];
  for (let number = 0; number < MAX_OVERTAKEN + 5; number += 1) {
    ledger.enqueue(ask(`s${number}`, 1, { workflow: 'small' }));
    for (const { id } of ledger.admit()) {
      passed.push(id);
      ledger.release(id);
    }
  }
  assert.equal(passed.length, MAX_OVERTAKEN);
  ledger.release('holder');
  assert.equal(ledger.admit()[0]?.id, 'large');
});

test('whatever happens: never more than fits, never idle with a queue that fits, nobody starves', () => {
  const SMALL: Capacity = { memoryBytes: 100, cpuPercent: 200, concurrentStarts: 3 };
  const action = fc.oneof(
    fc.record({
      kind: fc.constant('enqueue' as const),
      workflow: fc.constantFrom('a', 'b', 'c', 'd'),
      priority: fc.integer({ min: -10, max: 10 }),
      memoryBytes: fc.integer({ min: 1, max: 100 }),
      cpuPercent: fc.integer({ min: 1, max: 400 }),
    }),
    // An end and a kill are the same to the ledger, also of one that waits.
    fc.record({ kind: fc.constantFrom('started', 'release', 'withdraw', 'later' as const), pick: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      const clock = { ms: 0 };
      const ledger = createLedger(SMALL, () => clock.ms);
      const held = new Map<string, Demand>();
      const starting = new Set<string>();
      const waiting = new Map<string, Demand>();
      let admittedCount = 0;
      const end = (id: string): void => {
        for (const all of [held, waiting, starting]) all.delete(id);
        ledger.release(id);
      };
      const admit = (): void => {
        for (const demand of ledger.admit()) {
          assert.ok(waiting.delete(demand.id), 'it was in the queue');
          // Of its own workflow and priority nobody came before it.
          for (const other of waiting.values())
            assert.ok(
              other.workflow !== demand.workflow ||
                other.priority !== demand.priority ||
                Number(other.id) > Number(demand.id),
            );
          held.set(demand.id, demand);
          starting.add(demand.id);
          admittedCount += 1;
        }
      };
      const check = (): void => {
        const memory = [...held.values()].reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
        const cpu = [...held.values()].reduce((sum, { cpuPercent }) => sum + Math.min(200, cpuPercent), 0);
        assert.ok(memory <= SMALL.memoryBytes && cpu <= SMALL.cpuPercent, 'more than fits');
        assert.ok(starting.size <= SMALL.concurrentStarts, 'more starts than allowed');
        assert.deepEqual(ledger.promised, { memoryBytes: memory, cpuPercent: cpu });
        const queued = ledger.queue();
        assert.deepEqual(ids(queued).sort(), [...waiting.keys()].sort());
        if (starting.size === SMALL.concurrentStarts || waiting.size === 0) return;
        assert.ok(held.size > 0, 'idle with a queue');
        const fits = ({ memoryBytes, cpuPercent }: Demand): boolean =>
          memory + memoryBytes <= SMALL.memoryBytes && cpu + Math.min(200, cpuPercent) <= SMALL.cpuPercent;
        const first = waiting.get(queued[0]?.id ?? '');
        assert.ok(first !== undefined && !fits(first), 'idle with a first one that fits');
        // Before anybody can have been passed too often, room is left only where no first of a lane fits into it.
        if (admittedCount >= MAX_OVERTAKEN) return;
        const lanes = Map.groupBy(waiting.values(), ({ workflow, priority }) => `${workflow} ${priority}`);
        for (const [head] of lanes.values()) assert.ok(head !== undefined && !fits(head), 'idle with room');
      };
      actions.forEach((step, index) => {
        if (step.kind === 'enqueue') {
          const { kind: _, ...asked } = step;
          const demand = { ...asked, id: String(index) };
          waiting.set(demand.id, demand);
          ledger.enqueue(demand);
        } else {
          const from = [...(step.kind === 'withdraw' ? waiting : held).keys()];
          const picked = from[step.pick % from.length];
          if (step.kind === 'later') clock.ms += (step.pick % 5) * AGING_MS;
          else if (picked !== undefined && step.kind === 'started') {
            starting.delete(picked);
            ledger.started(picked);
          } else if (picked !== undefined) end(picked);
        }
        admit();
        check();
      });
      // With nothing new, as many ends as there are waiting ones let everybody in.
      for (let round = waiting.size; round > 0; round -= 1) {
        for (const id of [...held.keys()]) end(id);
        admit();
        check();
      }
      assert.equal(waiting.size, 0, 'somebody starved');
    }),
    { numRuns: 500 },
  );
});

test('under a stream of newcomers with the highest priority and small demands a large low one gets its turn', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 }), (sizes) => {
      const ledger = open();
      ledger.enqueue(ask('seed', 60, { workflow: 'busy', priority: 10 }));
      ledger.admit();
      ledger.enqueue(ask('large', 100, { workflow: 'large', priority: -10 }));
      const live = ['seed'];
      const arrivals = 2 * 20 * 60;
      for (let second = 0; second < arrivals; second += 1) {
        ledger.clock.ms = second * 1000;
        ledger.enqueue(
          ask(`n${second}`, sizes[second % sizes.length] ?? 1, { workflow: 'busy', priority: 10 }),
        );
        if (second % 2 === 1) ledger.release(live.shift() ?? '');
        for (const { id } of ledger.admit()) {
          ledger.started(id);
          if (id === 'large') return;
          live.push(id);
        }
      }
      assert.fail('it starved');
    }),
    { numRuns: 50 },
  );
});
