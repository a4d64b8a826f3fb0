import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { nearestFile } from '../../../src/supervisor/definitions/nearest-file.ts';

const base = mkdtempSync(join(tmpdir(), 'qw-near-'));
after(() => rmSync(base, { recursive: true }));
for (const file of [
  'examples/deep/hello-world.json',
  'examples/report.json',
  'examples/report.txt',
  'top.json',
  'y.json',
]) {
  mkdirSync(dirname(join(base, file)), { recursive: true });
  writeFileSync(join(base, file), '{}');
}
symlinkSync('gone.json', join(base, 'dangling.json'));

for (const [given, meant] of [
  ['exampels/report.json', 'examples/report.json'],
  ['examples/reprot.json', 'examples/report.json'],
  ['Examples/Reports.json', 'examples/report.json'],
  ['examples/report', 'examples/report.json'],
  ['exmples/dep/helo-world.json', 'examples/deep/hello-world.json'],
  ['report.json', 'examples/report.json'],
  ['report', 'examples/report.json'],
  ['tpo.json', 'top.json'],
  ['top.jsn', 'top.json'],
  ['tpo.jsn', 'top.json'],
  ['top.json/x.json', undefined],
  ['danglin.json', undefined],
  ['-', undefined],
  ['x.json', undefined],
  ['wholly/other.json', undefined],
] as const)
  test(`${given} ${meant === undefined ? 'suggests nothing' : `suggests ${meant}`}`, () => {
    assert.equal(nearestFile(join(base, given)), meant === undefined ? undefined : join(base, meant));
  });
