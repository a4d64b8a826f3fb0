import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { StatusDocument } from '../../src/protocol/control.ts';
import { type Bench, openBench } from '../setup/bench-home.ts';

describe('skills run', { timeout: 180_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = openBench();
    bench.script('show.sh', 'cat; echo " in $PWD"');
    bench.script('fail.sh', 'echo broken >&2; [ -e mended ] || exit 3; echo mended');
    const parameter = (name: string, type: string, more: object = {}): object => ({ name, type, ...more });
    bench.skill('Show_All', {
      type: 'code_inline',
      command: 'sh',
      args: ['show.sh'],
      aliases: ['show'],
      parameters: [
        parameter('text', 'string', { required: true }),
        parameter('count', 'number'),
        parameter('really', 'boolean'),
        parameter('list', 'array'),
        parameter('kind', 'enum', { values: ['a', 'b'] }),
        parameter('code', 'string', { pattern: '^[a-z]+$' }),
      ],
    });
    bench.skill('fail', { type: 'code_inline', command: 'sh', args: ['fail.sh'] });
    bench.skill('say', { type: 'prompt_inline', prompt_template: 'say {what}', parameters: [] });
    bench.skill('bad', { type: 'nonsense' });
  });
  after(() => bench.close());

  const params = (...pairs: readonly string[]): string[] => pairs.flatMap((pair) => ['--param', pair]);

  test('runs it as a step, with its parameters read after their types', async () => {
    const run = (await bench.json(
      'skills',
      'run',
      'show',
      ...params(
        'text=inputs.who ${{ 1 + 1 }}',
        'count=3',
        'really=true',
        'list=[1,"x"]',
        'kind=b',
        'code=abc',
      ),
    )) as StatusDocument;
    assert.deepEqual([run.workflow, run.status, run.steps.length], ['skill-show-all', 'completed', 1]);
    const outputs = run.steps[0]?.outputs as { stdout: string };
    assert.deepEqual(JSON.parse(outputs.stdout.replace(/ in .*$/s, '')), {
      text: 'inputs.who ${{ 1 + 1 }}',
      count: 3,
      really: true,
      list: [1, 'x'],
      kind: 'b',
      code: 'abc',
    });
  });

  test('the text form is that of run, and a failure exits as run does; it can be resumed', async () => {
    const failed = await bench.q('skills', 'run', 'fail');
    assert.equal(failed.status, 1);
    assert.match(failed.stdout, /^✗ skill-fail failed in .*\n/);
    assert.match(failed.stdout, /EXIT_NONZERO/);
    bench.script('mended', '');
    const resumed = (await bench.json('resume', 'latest')) as StatusDocument;
    assert.equal(resumed.status, 'completed');
    rmSync(join(bench.workspace, 'mended'));
  });

  test('a skill without declared parameters takes any, and a prompt gives its text', async () => {
    const run = (await bench.json('skills', 'run', 'say', '--param', 'what=hello=you')) as StatusDocument;
    const [step] = run.steps;
    assert.equal((step?.outputs as { text?: string } | undefined)?.text, 'say hello=you');
  });

  test('--detach prints the id', async () => {
    const { status, stdout } = await bench.q('skills', 'run', 'say', '-p', 'what=x', '--detach');
    assert.equal(status, 0);
    assert.match(stdout, /^[0-9a-z]{10}\n$/);
  });

  test('what is wrong is told before anything runs', async () => {
    const refused = async (...words: readonly string[]): Promise<[number | null, string]> => {
      const { status, stderr } = await bench.q('skills', 'run', ...words);
      return [status, stderr];
    };
    const [status, stderr] = await refused(
      'Show_All',
      ...params('count=many', 'really=1', 'txt=x', 'kind=c', 'code=A1'),
    );
    assert.equal(status, 2);
    assert.match(stderr, /--param text: "text" is required/);
    assert.match(stderr, /--param count: "count" must be of type number/);
    assert.match(stderr, /--param really: "really" must be of type boolean/);
    assert.match(stderr, /--param txt: "txt" is no parameter of it; did you mean "text"/);
    assert.match(stderr, /--param kind: "kind" must be one of "a", "b"/);
    assert.match(stderr, /--param code: "code" must match/);
    assert.match(stderr, /Run q workflow skills show Show_All to see its parameters\./);
    assert.deepEqual((await refused('sho'))[0], 4);
    assert.match((await refused('sho'))[1], /no skill is called "sho"/);
    assert.match((await refused('bad'))[1], /the skill bad cannot be used: .*\[SKILL_INVALID\]/);
    assert.match((await refused('.q-skills/say.json'))[1], /lies in no skill folder \[NO_SUCH_SKILL\]/);
    assert.deepEqual((await refused('say', '--param', 'what'))[0], 2);
  });
});
