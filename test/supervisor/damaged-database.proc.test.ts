import assert from 'node:assert/strict';
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { SupervisorStatus } from '../../src/protocol/control.ts';
import { openBench } from '../setup/bench-home.ts';

const PAGE = 4096;

test('a database that is damaged under a running supervisor: status tells it, and stop still works', {
  timeout: 120_000,
}, async (t) => {
  const bench = openBench();
  t.after(() => bench.close());
  bench.skill('say', { type: 'prompt_inline', prompt_template: 'hi' });
  bench.workflow('tiny', { steps: [{ id: 'a', type: 'skill', skill: 'say' }] });
  assert.equal((await bench.q('run', 'tiny')).status, 0);
  const file = join(bench.home, 'q-workflow.db');
  const other = new DatabaseSync(file);
  other.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  other.close();
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, Buffer.alloc(statSync(file).size - PAGE, 0xa5), 0, null, PAGE);
  closeSync(descriptor);

  const status = (await bench.json('supervisor', 'status')) as SupervisorStatus;
  assert.ok(
    status.problems.some((problem) =>
      /^The database does not answer: .*malformed \[STORE_CORRUPT\]\. Run q/.test(problem),
    ),
    status.problems.join('\n'),
  );
  const text = await bench.q('supervisor', 'status');
  assert.match(text.stdout, /! {2}The database does not answer|! The database does not answer/);
  const doctor = await bench.q('doctor');
  assert.match(doctor.stdout, /supervisor +The database does not answer/);
  assert.doesNotMatch(doctor.stdout, /not running/);
  const stopped = await bench.q('supervisor', 'stop');
  assert.equal(stopped.status, 0, stopped.stderr);
});
