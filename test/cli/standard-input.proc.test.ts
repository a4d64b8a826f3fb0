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

const WORKFLOW = {
  version: '1.0.0',
  steps: [{ id: 'a', type: 'skill', skill: 'say', inputs: { text: 'hi' } }],
};

test('run - takes the definition from there, and validate - checks it', async () => {
  bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
  const text = JSON.stringify({ name: 'from-input', ...WORKFLOW });
  const run = JSON.parse(await withInput(text, 'run', '-', '--json')) as Record<string, unknown>;
  assert.deepEqual([run['workflow'], run['status']], ['from-input', 'completed']);
  assert.match(await withInput(text, 'validate', '-'), /^✓ - is valid: from-input 1\.0\.0\n$/);
  assert.match(
    await withInput('{', 'run', '-'),
    /^error standard input is not a valid workflow \[DEFINITION_INVALID\]/,
  );
  assert.match(
    await withInput(`"${'x'.repeat(5 * 1024 * 1024)}"`, 'run', '-'),
    /standard input is too large: 5242880/,
  );
});

test('validate takes several files and exits 3 when any of them is bad or missing', async () => {
  const good = bench.workflow('good', WORKFLOW);
  const bad = bench.workflow('bad', { ...WORKFLOW, steps: [] });
  const several = await bench.q('validate', good, bad, '/nowhere/x.json');
  assert.equal(several.status, 3);
  assert.match(
    several.stdout,
    /good\.json is valid.*\n✗ .*bad\.json is not valid[\s\S]*✗ \/nowhere\/x\.json is not valid: 1 error/,
  );
  const { is_valid, files } = JSON.parse((await bench.q('validate', good, bad, '--json')).stdout) as {
    is_valid: boolean;
    files: readonly { file: string; is_valid: boolean }[];
  };
  assert.deepEqual(
    [is_valid, files.map((each) => [each.file, each.is_valid])],
    [
      false,
      [
        [good, true],
        [bad, false],
      ],
    ],
  );
  assert.equal((await bench.q('validate', good, good)).status, 0);
  assert.equal((await bench.q('validate', '/nowhere/x.json')).status, 4);
});
