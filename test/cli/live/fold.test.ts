import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type FoldedRow, folded } from '../../../src/cli/live/fold.ts';
import type { RowStatus, TreeRow } from '../../../src/cli/live/tree.ts';

/** Rows by `depth:name:status`. */
function tree(...rows: readonly (readonly [depth: number, name: string, status: RowStatus])[]): TreeRow[] {
  const made: TreeRow[] = [];
  for (const [depth, name, status] of rows)
    made.push({
      path: name,
      name,
      depth,
      parent: made.findLastIndex((row) => row.depth < depth),
      step: null,
      planned: null,
      status,
      isUndone: false,
      turn: null,
      parts: { done: 0, failed: 0, all: 0 },
    });
  return made;
}

function outline(lines: readonly FoldedRow[]): string[] {
  return lines.map((line) =>
    line.kind === 'row'
      ? `${'  '.repeat(line.row.depth)}${line.row.name}`
      : `${'  '.repeat(line.depth)}… ${[...line.counts].map(([status, count]) => `${count} ${status}`).join(', ')}`,
  );
}

describe('a tree higher than its room', () => {
  const many = tree(
    ...Array.from({ length: 40 }, (_, index) => [0, `done${index}`, 'completed'] as const),
    [0, 'group', 'running'],
    [1, 'broken', 'failed'],
    [1, 'works', 'running'],
    ...Array.from({ length: 20 }, (_, index) => [0, `next${index}`, 'pending'] as const),
  );

  test('shows what runs and failed with what is around it, and counts the rest', () => {
    assert.deepEqual(outline(folded(many, 5)), [
      '… 40 completed',
      'group',
      '  broken',
      '  works',
      '… 20 pending',
    ]);
  });

  test('fills what room is left with what is nearest', () => {
    assert.deepEqual(outline(folded(many, 8)), [
      '… 39 completed',
      'done39',
      'group',
      '  broken',
      '  works',
      'next0',
      'next1',
      '… 18 pending',
    ]);
  });

  test('of many that run as many as fit, failures first', () => {
    const rows = tree(...Array.from({ length: 30 }, (_, index) => [0, `run${index}`, 'running'] as const), [
      0,
      'broken',
      'failed',
    ]);
    assert.deepEqual(outline(folded(rows, 4)), ['run0', 'run1', '… 28 running', 'broken']);
  });

  test('a tree that fits is shown whole', () => {
    assert.equal(
      folded(many, 63).every(({ kind }) => kind === 'row'),
      true,
    );
    assert.equal(folded(many, 63).length, 63);
  });

  test('never takes more lines than there are, hides no parent of what it shows, and loses none', () => {
    const status = fc.constantFrom<RowStatus>(
      'completed',
      'running',
      'failed',
      'pending',
      'waiting',
      'skipped',
    );
    const rows = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), status), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 30 }), (given, room) => {
        let depth = -1;
        const all = tree(
          ...given.map(([wanted, each], index) => {
            depth = Math.min(wanted, depth + 1);
            return [depth, `s${index}`, each] as const;
          }),
        );
        const lines = folded(all, room);
        assert.ok(lines.length <= room, `${lines.length} lines in ${room}`);
        const shown = new Set(lines.flatMap((line) => (line.kind === 'row' ? [line.row] : [])));
        for (const row of shown) {
          const parent = all[row.parent];
          assert.ok(parent === undefined || shown.has(parent));
        }
        const counted = lines.flatMap((line) => (line.kind === 'fold' ? [...line.counts.values()] : []));
        assert.equal(shown.size + counted.reduce((sum, count) => sum + count, 0), all.length);
      }),
      { numRuns: 500 },
    );
  });
});
