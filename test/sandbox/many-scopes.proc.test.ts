import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { isolationFor, lacks, NONE, NOW, start } from './harness.ts';

const MANY = 1_000;
const AT_ONCE = 50;

test('a thousand scopes with a process each are found again, killed and removed, and leave nothing', {
  skip: lacks('cgroup'),
  timeout: 120_000,
}, async (t) => {
  const isolation = isolationFor(t, 'cgroup');
  const scopes = Array.from({ length: MANY }, (_, index) => isolation.openScope(`many-${index}`, NONE));
  for (let from = 0; from < MANY; from += AT_ONCE)
    await Promise.all(
      scopes.slice(from, from + AT_ONCE).map((scope) => {
        const { child, stdout } = start(scope, '/bin/sh', ['-c', 'echo in; exec sleep 600']);
        return new Promise<void>((resolve) =>
          child.stdout?.on('data', () => {
            if (stdout().includes('in')) resolve();
          }),
        );
      }),
    );
  const records = isolation.listScopes();
  assert.equal(records.length, MANY);
  assert.ok(scopes.every((scope) => scope.usage('quick').processes === 1));
  const begun = performance.now();
  const reports = await Promise.all(scopes.map((scope) => scope.kill(NOW)));
  t.diagnostic(`killed after ${Math.round(performance.now() - begun)} ms`);
  assert.equal(
    reports.reduce((sum, { killedCount }) => sum + killedCount, 0),
    MANY,
  );
  assert.deepEqual(
    reports.flatMap(({ survivors }) => survivors),
    [],
  );
  await Promise.all(scopes.map((scope) => scope.remove()));
  assert.deepEqual(isolation.listScopes(), []);
  for (const { folders } of records)
    for (const folder of Object.values(folders)) assert.equal(existsSync(folder), false, folder);
});
