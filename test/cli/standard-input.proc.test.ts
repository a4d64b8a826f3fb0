import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Bench, finish, openBench } from '../setup/bench-home.ts';

let bench: Bench;
before(() => {
  bench = openBench();
});
after(() => bench.close());

async function withInput(input: string, ...args: readonly string[]): Promise<string> {
  const child = bench.start(args);
  child.stdin?.end(input);
  const { stdout, stderr } = await finish(child);
  return stdout + stderr;
}

// In `while read line; do q workflow status; done` it is the loop's.
test('what comes on standard input is no argument', async () => {
  await bench.q('supervisor', 'start');
  for (const command of ['list', 'status', 'approvals'])
    assert.equal(await withInput('nothing-of-this-name\n', command), await withInput('', command), command);
  assert.match(await withInput('x.json\n', 'run'), /\[USAGE\]/);
});

test('create --from - takes the answers from there', async () => {
  const answers = { name: 'from-input', purpose: 'x', steps: [{ id: 'a', prompt: 'text' }] };
  const printed = await withInput(JSON.stringify(answers), 'create', '--from', '-', '--print');
  assert.match(printed, /"name": "from-input"/);
});
