import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLAIN } from '../../src/cli/text/style.ts';
import { statusText } from '../../src/cli/text/summary.ts';
import { run, USED } from './screens/data.ts';

const SCREEN = { style: PLAIN, width: 200, now: Date.parse('2026-01-01T00:00:00Z') };

function ioLine(document: Parameters<typeof statusText>[0]): string | undefined {
  return statusText(document, SCREEN)
    .split('\n')
    .find((line) => line.startsWith('  io '));
}

test('a limit of IO that nothing holds is not shown as one that holds', () => {
  const held = run({ usage: USED });
  assert.match(ioLine(held) ?? '', /, limit 80 MB\/s$/);
  const unheld = { ...held, isolation: held.isolation && { ...held.isolation, enforced: [] } };
  assert.match(ioLine(unheld) ?? '', /, limit 80 MB\/s, not held$/);
  assert.match(ioLine({ ...held, isolation: null }) ?? '', /, not held$/);
});

test('without a limit none is named, and where nobody can tell there is no line', () => {
  const free = run({ usage: USED });
  const limits = { ...free.limits, max_io_mb_per_s: null };
  assert.match(ioLine({ ...free, limits }) ?? '', /, written 310 MB$/);
  assert.equal(ioLine(run({ usage: { ...USED, io_read_bytes: null, io_written_bytes: null } })), undefined);
});
