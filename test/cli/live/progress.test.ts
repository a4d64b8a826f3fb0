import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { progressBar, progressOf } from '../../../src/cli/live/progress.ts';

describe('the progress that a line reports', () => {
  for (const [line, percent, text] of [
    ['45 % compiling', 45, 'compiling'],
    ['45%', 45, ''],
    ['[ 45%] Building CXX object', 45, 'Building CXX object'],
    ['progress: 7.5 % of the files', 7.5, 'of the files'],
    ['file.zip  45%[====>      ] 1.2M', 45, 'file.zip'],
    ['loading:  45%|████    | 45/100', 45, 'loading:'],
    ['[3/10] Linking', 30, 'Linking'],
    ['(10/10) done', 100, 'done'],
  ] as const)
    test(line, () => assert.deepEqual(progressOf(line), { percent, text }));

  for (const line of [
    'disk 81 % full',
    '101 % sure',
    '3/10 tests failed',
    '[0/0] nothing',
    '2026-03-01 12:00 45%off',
    '',
  ])
    test(`none in "${line}"`, () => assert.equal(progressOf(line), null));

  test('a bar keeps its width', () => {
    assert.equal(progressBar(0, 10), '░░░░░░░░░░   0 %');
    assert.equal(progressBar(45, 10), '████░░░░░░  45 %');
    assert.equal(progressBar(100, 10), '██████████ 100 %');
  });
});
