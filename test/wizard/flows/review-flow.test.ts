import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../../src/definition/workflow.ts';
import { answersOf, definitionOf } from '../../../src/wizard/definition.ts';
import { editFlow } from '../../../src/wizard/flows/create-flow.ts';
import { answered, worldOf } from '../desk.ts';

const GIVEN: JsonObject = {
  name: 'nightly',
  version: '1.0.0',
  steps: [
    {
      id: 'fetch',
      type: 'skill',
      skill: 'http-fetch',
      inputs: { url: 'https://x.example' },
      writes: ['seen'],
      sandbox: 'required',
    },
    {
      id: 'check',
      type: 'conditional',
      condition: 'fetch.exit_code == 0',
      then: [
        { id: 'mail', type: 'skill', skill: 'send-mail', inputs: { text: 'is $' + '{{ fetch.stdout }}' } },
      ],
    },
    { id: 'last', type: 'skill', skill: 'disk-usage', inputs: { path: 'mail.stdout' }, undo: 'clean' },
  ],
  context: { mutable: { seen: 0 } },
  handlers: [{ id: 'clean', type: 'skill', skill: 'send-mail' }],
  error_handling: { per_step: { last: 'rollback' }, rollback: { steps: ['clean'] } },
};

async function edited(
  replies: Readonly<Record<string, string>>,
  given: JsonObject = GIVEN,
): Promise<JsonObject> {
  const { value } = await answered(editFlow(worldOf(), answersOf(given)), replies);
  if (value === null) throw new Error('thrown away');
  return definitionOf(value);
}

const step = (...path: readonly [string, number][]): string =>
  `step:${JSON.stringify(path.map(([key, index]) => ({ key, index })))}`;
const ids = (definition: JsonObject): string[] =>
  (definition['steps'] as { id: string }[]).map(({ id }) => id);

test('saving without a change keeps the file, whatever the wizard knows of it', async () => {
  assert.deepEqual(await edited({}), GIVEN);
});

test('a step that others use is not removed, and it is said who uses it', async () => {
  const remove = (path: string, id: string): Promise<unknown> =>
    edited({ 'review/0': path, [`review/0/${id}`]: 'remove' });
  await assert.rejects(remove(step(['steps', 0]), 'fetch'), /"fetch" cannot go: check, mail use it\./);
  await assert.rejects(remove(step(['steps', 1]), 'check'), /"check" cannot go: last uses it\./);
  await assert.rejects(remove(step(['steps', 1], ['then', 0]), 'mail'), /"mail" cannot go: last uses it\./);
});

test('the last step of a workflow, and of a branch that must not be empty, stays', async () => {
  const only: JsonObject = { name: 'x', version: '1.0.0', steps: [{ id: 'a', type: 'skill', skill: 's' }] };
  await assert.rejects(
    edited({ 'review/0': step(['steps', 0]), 'review/0/a': 'remove' }, only),
    /A workflow has at least one step\./,
  );
  const branch: JsonObject = { ...only, steps: [{ id: 'p', type: 'parallel', steps: only['steps'] ?? [] }] };
  await assert.rejects(
    edited({ 'review/0': step(['steps', 0], ['steps', 0]), 'review/0/a': 'remove' }, branch),
    /does not take "remove"/,
  );
});

test('a step that nobody uses goes, with its policy', async () => {
  const left = await edited({ 'review/0': step(['steps', 2]), 'review/0/last': 'remove' });
  assert.deepEqual(ids(left), ['fetch', 'check']);
  assert.deepEqual(left['error_handling'], { rollback: { steps: ['clean'] } });
});

test('a move before what a step needs is refused with the reason', async () => {
  await assert.rejects(
    edited({ 'review/0': step(['steps', 2]), 'review/0/last': 'up' }),
    /"last" cannot go there: step "mail" runs later\./,
  );
  const free: JsonObject = {
    ...GIVEN,
    steps: [...(GIVEN['steps'] as JsonObject[]), { id: 'free', type: 'skill', skill: 's' }],
  };
  assert.deepEqual(ids(await edited({ 'review/0': step(['steps', 3]), 'review/0/free': 'up' }, free)), [
    'fetch',
    'check',
    'free',
    'last',
  ]);
});

test('a change asks with what is there, and keeps what it does not ask about', async () => {
  const changed = await edited({
    'review/0': step(['steps', 0]),
    'steps/0/change/inputs/url': 'literal',
    'steps/0/change/inputs/url/literal': 'https://y.example',
    'steps/0/change/timeout': '5 min',
    'steps/0/change/on-error': 'skip',
  });
  const [first] = changed['steps'] as JsonObject[];
  assert.deepEqual(first, {
    id: 'fetch',
    type: 'skill',
    skill: 'http-fetch',
    inputs: { url: 'https://y.example' },
    writes: ['seen'],
    sandbox: 'required',
    timeout: 300,
  });
  assert.deepEqual((changed['error_handling'] as JsonObject)['per_step'], {
    fetch: 'skip',
    last: 'rollback',
  });
});

test('a step is added within a branch, before, and after', async () => {
  const inside = await edited({
    'review/0': step(['steps', 1]),
    'review/0/check': 'in:else',
    'steps/1/else/0/kind': 'skill:send-mail',
    'steps/1/else/0/id': 'sorry',
  });
  assert.deepEqual((inside['steps'] as JsonObject[])[1]?.['else'], [
    { id: 'sorry', type: 'skill', skill: 'send-mail' },
  ]);
  const before = await edited({
    'review/0': step(['steps', 0]),
    'review/0/fetch': 'before',
    'steps/0/kind': 'skill:send-mail',
  });
  assert.deepEqual(ids(before), ['send-mail', 'fetch', 'check', 'last']);
  const after = await edited({
    'review/0': step(['steps', 0]),
    'review/0/fetch': 'after',
    'steps/1/kind': 'skill:send-mail',
  });
  assert.deepEqual(ids(after), ['fetch', 'send-mail', 'check', 'last']);
});

test('a step that is added takes outputs of the steps before it only', async () => {
  const add = (from: string): Promise<JsonObject> =>
    edited({
      'review/0': step(['steps', 1]),
      'review/0/check': 'before',
      'steps/1/kind': 'skill:disk-usage',
      'steps/1/inputs/path': from,
    });
  assert.deepEqual((await add('output:fetch:stdout'))['steps'], [
    (GIVEN['steps'] as JsonObject[])[0],
    { id: 'disk-usage', type: 'skill', skill: 'disk-usage', inputs: { path: 'fetch.stdout' } },
    ...(GIVEN['steps'] as JsonObject[]).slice(1),
  ]);
  await assert.rejects(add('output:mail:stdout'), /none of the choices/);
});

test('schedule, limits, policy and purpose are changed from the review', async () => {
  const changed = await edited({
    'review/0': 'schedule',
    'review/0/schedule/0': 'cron',
    'review/0/schedule/0/cron': '*/5 * * * *',
    'review/0/schedule/0/timezone': 'UTC',
    'review/1': 'limits',
    'review/1/limits': 'set',
    'review/1/limits/max_execution_time': '2 h',
    'review/2': 'errors',
    'review/2/errors': 'skip',
    'review/3': 'purpose',
    'review/3/purpose': 'Now with more',
    'review/3/version': '1.1.0',
  });
  assert.deepEqual(changed['triggers'], [{ type: 'schedule', cron: '*/5 * * * *', timezone: 'UTC' }]);
  assert.deepEqual(changed['resource_limits'], { max_execution_time: 7200 });
  assert.equal((changed['error_handling'] as JsonObject)['default'], 'skip');
  assert.deepEqual(
    [changed['description'], changed['version'], changed['name']],
    ['Now with more', '1.1.0', 'nightly'],
  );
});

test('a wrong cron expression and a wrong zone are refused with the reason', async () => {
  const asked = (cron: string, timezone: string): Promise<JsonObject> =>
    edited({
      'review/0': 'schedule',
      'review/0/schedule/0': 'cron',
      'review/0/schedule/0/cron': cron,
      'review/0/schedule/0/timezone': timezone,
    });
  await assert.rejects(asked('61 * * * *', 'UTC'), /"61 \* \* \* \*" is not a cron expression: /);
  await assert.rejects(asked('0 9 * * *', 'Europe/Berlim'), /"Europe\/Berlim" is not an IANA time zone/);
});

test('a skill handles a failure, and is told of it', async () => {
  const changed = await edited({
    'review/0': step(['steps', 0]),
    'steps/0/change/on-error': 'custom',
    'steps/0/change/on-error/handler': 'skill:disk-usage',
    'steps/0/change/on-error/handler/path': 'error.message',
    'steps/0/change/on-error/handler/depth': 'literal',
    'steps/0/change/on-error/handler/depth/literal': '2',
    'steps/0/change/on-error/handler/mode': 'value:"exact"',
  });
  assert.deepEqual(((changed['error_handling'] as JsonObject)['per_step'] as JsonObject)['fetch'], {
    strategy: 'custom',
    custom_handler: {
      id: 'handle-fetch',
      type: 'skill',
      skill: 'disk-usage',
      inputs: { path: 'error.message', depth: { literal: 2 }, mode: { literal: 'exact' } },
    },
  });
});

test('a handler that the workflow has is chosen by its name', async () => {
  const changed = await edited({
    'review/0': step(['steps', 0]),
    'steps/0/change/on-error': 'custom',
    'steps/0/change/on-error/handler': 'handler:clean',
  });
  assert.deepEqual(((changed['error_handling'] as JsonObject)['per_step'] as JsonObject)['fetch'], {
    strategy: 'custom',
    custom_handler: 'clean',
  });
});

test('a field of the result is taken into a shared value, and left out again', async () => {
  const left = await edited({ 'review/0': step(['steps', 0]), 'steps/0/change/writes/0': 'keep:seen' });
  assert.equal((left['steps'] as JsonObject[])[0]?.['writes'], undefined);
  const taken = await edited({ 'review/0': step(['steps', 2]), 'steps/2/change/writes/0': 'take:seen' });
  assert.deepEqual((taken['steps'] as JsonObject[])[2]?.['writes'], ['seen']);
});

test('a schedule says what becomes of times that cannot be kept, and the usual is not written down', async () => {
  const scheduled = (more: Readonly<Record<string, string>>): Promise<JsonObject> =>
    edited({ 'review/0': 'schedule', 'review/0/schedule/0': 'day', ...more });
  const plain = { type: 'schedule', cron: '0 9 * * *', timezone: 'Europe/Berlin' };
  assert.deepEqual((await scheduled({}))['triggers'], [plain]);
  assert.deepEqual(
    (await scheduled({ 'review/0/schedule/0/overlap': 'queue', 'review/0/schedule/0/catch-up': 'none' }))[
      'triggers'
    ],
    [{ ...plain, overlap: 'queue', catch_up: 'none' }],
  );
});
