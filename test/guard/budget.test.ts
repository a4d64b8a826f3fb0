import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { costUsd } from '../../src/agents/budget.ts';
import {
  combineLimits,
  exceeded,
  NOTHING_SPENT,
  type SpendEvent,
  type Spent,
  spend,
} from '../../src/guard/budget.ts';
import { parsePrices } from '../../src/guard/prices.ts';

const after = (...events: readonly SpendEvent[]): Spent => events.reduce(spend, NOTHING_SPENT);

test('limits of all layers combine by minimum', () => {
  const limits = combineLimits([
    { iterations: 10, tokens: 500, calls: { execute_bash: { per_run: 30, per_minute: 10 } } },
    undefined,
    { iterations: 20, cost_usd: 2, calls: { shell: { per_run: 5 }, 'fs_*': { per_hour: 7 } } },
  ]);
  assert.deepEqual(limits, {
    iterations: 10,
    tool_calls: null,
    tokens: 500,
    cost_usd: 2,
    wall_s: null,
    output_bytes: null,
    calls: { execute_bash: { per_minute: 10, per_run: 5 }, 'fs_*': { per_hour: 7 } },
  });
});

test('a limit is passed by the event after the last allowed one', () => {
  const limits = combineLimits([
    { iterations: 2, tool_calls: 1, output_bytes: 10, wall_s: 1.5, cost_usd: 0.5 },
  ]);
  const twice = after({ type: 'request' }, { type: 'request' });
  assert.deepEqual(exceeded(twice, limits, 0), []);
  assert.deepEqual(exceeded(spend(twice, { type: 'request' }), limits, 0), [
    { limit: 'iterations', allowed: 2, used: 3 },
  ]);
  assert.deepEqual(exceeded(after({ type: 'output', bytes: 11 }, { type: 'work', ms: 1600 }), limits, 0), [
    { limit: 'wall_s', allowed: 1.5, used: 1.6 },
    { limit: 'output_bytes', allowed: 10, used: 11 },
  ]);
  assert.deepEqual(exceeded(after({ type: 'usage', tokens: 5, costUsd: 0.6 }), limits, 0), [
    { limit: 'cost_usd', allowed: 0.5, used: 0.6 },
  ]);
});

test('rates count in a window that slides, over aliases and globs', () => {
  const limits = combineLimits([{ calls: { shell: { per_minute: 2 }, 'fs_*': { per_run: 1 } } }]);
  const call = (tool: string, atMs: number): SpendEvent => ({ type: 'call', tool, atMs });
  const spent = after(call('execute_bash', 0), call('bash', 30_000), call('shell', 59_000));
  assert.deepEqual(exceeded(spent, limits, 59_000), [
    { limit: 'calls.execute_bash.per_minute', allowed: 2, used: 3 },
  ]);
  assert.deepEqual(exceeded(spent, limits, 61_000), []);
  const files = after(call('fs_read', 0), call('fs_write', 0));
  assert.deepEqual(exceeded(files, limits, 0), [{ limit: 'calls.fs_*.per_run', allowed: 1, used: 2 }]);
});

test('a further layer never lifts a limit', () => {
  const file = fc.record(
    { iterations: fc.nat(5), tokens: fc.nat(5), calls: fc.constant({ fs_read: { per_run: 1 } }) },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(file, { maxLength: 4 }), file, fc.nat(6), (files, more, count) => {
      const spent = after(...new Array<SpendEvent>(count).fill({ type: 'request' }));
      const before = exceeded(spent, combineLimits(files), 0).length;
      assert.ok(exceeded(spent, combineLimits([...files, more]), 0).length >= before);
    }),
  );
});

test('cost follows the table, and a model that is not in it has none', () => {
  const table = parsePrices(readFileSync(join(import.meta.dirname, '../../policies/prices.json'), 'utf8'));
  assert.match(table.version, /^\d{4}-\d\d-\d\d$/);
  const { input, output, cached } = table.models['gpt-4o'] ?? {};
  assert.ok(input !== undefined && output !== undefined && cached !== undefined);
  const price = { inputPerMillion: input, outputPerMillion: output, cachedPerMillion: cached };
  const usage = { in: 1_000_000, out: 100_000, cached: 400_000, estimated: false };
  assert.equal(costUsd(usage, price), 1.5 + 0.5 + 1);
  assert.equal(table.models['gpt-4o-unknown'], undefined);
  assert.equal(Object.hasOwn(table.models, 'constructor'), false);
});

test('a price file that is wrong is refused', () => {
  assert.throws(() => parsePrices('{"models":{}}'), { message: 'a price file has a "version" and "models"' });
  assert.throws(() => parsePrices('{"version":"1","models":{"m":{"input":-1,"output":1}}}'), {
    message: 'the price "input" of m is no number of dollars',
  });
  assert.throws(() => parsePrices('{"version":"1","models":{"m":{"input":1}}}'), {
    message: 'm needs a price for "input" and "output"',
  });
});
