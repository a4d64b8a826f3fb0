import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { countAfter, NO_MOMENTS, type Recent, withMoment } from '../../src/guard/recent.ts';

const KEPT = 100;

/** As it is meant: a list of its own for each value. */
function listWith(list: readonly number[], at: number): readonly number[] {
  return [...list.filter((each) => each > at - KEPT), at];
}

test('values that share their moments count what lists of their own would, whichever of them goes on', () => {
  const step = fc.record({ from: fc.nat(20), by: fc.integer({ min: -3, max: 60 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const values: { readonly recent: Recent; readonly list: readonly number[]; readonly last: number }[] = [
        { recent: NO_MOMENTS, list: [], last: 0 },
      ];
      for (const { from, by } of steps) {
        const before = values[values.length - 1 - (from % values.length)] ?? assert.fail();
        const at = Math.max(0, before.last + by);
        values.push({
          recent: withMoment(before.recent, at, at - KEPT),
          list: listWith(before.list, at),
          last: at,
        });
      }
      // Looked at in the end: none may have changed by what came after it.
      for (const { recent, list, last } of values)
        for (const moment of [last - KEPT, last - KEPT / 2, last - 1])
          assert.equal(countAfter(recent, moment), list.filter((each) => each > moment).length);
    }),
  );
  assert.deepEqual(NO_MOMENTS, { shared: [], from: 0, to: 0 });
});

test('a long row of moments is not copied for each of them', () => {
  let recent = NO_MOMENTS;
  const lists = new Set<readonly number[]>();
  for (let at = 0; at < 20_000; at += 1) {
    recent = withMoment(recent, at, at - 10_000);
    lists.add(recent.shared);
  }
  assert.equal(countAfter(recent, 19_999 - 5_000), 5_000);
  assert.ok(lists.size < 10, `${lists.size} lists`);
});
