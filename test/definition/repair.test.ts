import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json, JsonObject } from '../../src/definition/workflow.ts';
import { complaints, fileOf, load, skill } from './support.ts';

const NOT_A_NAME = 'is not a name: lower-case letters and digits, with hyphens inside';

interface Case {
  readonly title: string;
  readonly steps: Json;
  readonly more?: JsonObject;
  readonly expected: readonly string[];
}

const CASES: readonly Case[] = [
  {
    title: 'an id that is no name hides nothing, and is declared',
    steps: [
      skill('Fetch'),
      skill('b', {
        inputs: { x: 'c.data', y: 'Fetch.data', z: { ref: 'Fetch.data' }, v: '${{ Fetch.data }}' },
      }),
      skill('c'),
      { id: 'd', type: 'conditional', condition: 'Fetch.n +', then: [skill('e')] },
      skill('Fetch'),
    ],
    more: {
      context: { mutable: { n: 0 }, access: { n: ['Fetch', 'fetsh'] } },
      error_handling: {
        per_step: { Fetch: 'skip', fetsh: 'skip', b: { strategy: 'custom', custom_handler: 'no such' } },
      },
    },
    expected: [
      `error $.steps[0].id "Fetch" ${NOT_A_NAME}`,
      `error $.steps[4].id "Fetch" ${NOT_A_NAME}`,
      'error $.steps[4].id the id "Fetch" is used twice; it is the step at $.steps[0] already',
      'error $.steps[1].inputs.x step "c" runs later',
      'error $.steps[3].condition the expression ends too early (column 10 of "Fetch.n +")',
      'error $.context.access.n[1] there is no step "fetsh"; did you mean "Fetch"?',
      'error $.error_handling.per_step.fetsh there is no step "fetsh"; did you mean "Fetch"?',
      'error $.error_handling.per_step.b.custom_handler "no such" is neither the id of a step nor the name of a skill: letters, digits, _ and -',
    ],
  },
  {
    title: 'a number as id is read, a missing one may be any name',
    steps: [
      { id: 5, type: 'skill', skill: 'run' },
      skill('b', { inputs: { x: { ref: '5.data' }, y: 'd.data' } }),
      { type: 'skill', skill: 'run' },
      skill('c', { inputs: { x: { ref: 'lost.data' }, y: '${{ lost.data }}' } }),
      skill('d'),
    ],
    more: { error_handling: { per_step: { lost: 'skip' } } },
    expected: [
      'error $.steps[0].id must be a string, not number 5',
      'error $.steps[2].id "id" is missing',
      'error $.steps[1].inputs.y step "d" runs later',
    ],
  },
  {
    title: 'one step where a list must be is checked as if it were in one',
    steps: [
      { id: 'p', type: 'parallel', steps: skill('a', { inputs: { x: 'b.data' }, tiemout: 5 }) },
      skill('b', { inputs: { x: 'a.data' } }),
    ],
    expected: [
      'error $.steps[0].steps must be a list, not object an object',
      'error $.steps[0].steps.tiemout unknown key "tiemout"; allowed here: id, type, description, set, writes, undo, sandbox, skill, inputs, outputs, async, timeout, on_resume',
      'error $.steps[0].steps.inputs.x step "b" runs later',
    ],
  },
  {
    title: 'what is no list of steps may hold any step',
    steps: [
      { id: 'p', type: 'parallel', steps: 'a' },
      { id: 'c', type: 'conditional', condition: 'p.x ==', then: null, else: 7 },
      skill('b', { inputs: { x: { ref: 'a.data' }, y: 'd.data' } }),
      skill('d'),
    ],
    expected: [
      'error $.steps[0].steps must be a list, not string "a"',
      'error $.steps[1].then must be a list, not null null',
      'error $.steps[1].else must be a list, not number 7',
      'error $.steps[1].condition the expression ends too early (column 7 of "p.x ==")',
      'error $.steps[2].inputs.y step "d" runs later',
    ],
  },
  {
    title: 'what is no step keeps its place; a string is the id of one',
    steps: [
      'fetch',
      null,
      [skill('inner')],
      skill('b', { inputs: { x: { ref: 'fetch.data' }, y: { ref: 'inner.data' } } }),
    ],
    more: { error_handling: { per_step: { b: { strategy: 'retry', max_delay: 1, initial_delay: 2 } } } },
    expected: [
      'error $.steps[0] must be an object, not string "fetch"',
      'error $.steps[1] must be an object, not null null',
      'error $.steps[2] must be an object, not array [{"id":"inner","type":"skill","skill":"run"}]',
      'error $.error_handling.per_step.b.max_delay max_delay 1 is less than initial_delay 2',
    ],
  },
  {
    title: 'what a misspelled key holds is checked where it stands',
    steps: [
      { id: 'p', type: 'parallel', stesp: [skill('a', { input: { x: 'b.data' } })] },
      skill('b', { inputs: { x: 'a.data' } }),
    ],
    expected: [
      'error $.steps[0].stesp unknown key "stesp"; allowed here: id, type, description, set, writes, undo, sandbox, steps, wait_for',
      'error $.steps[0].stesp[0].input unknown key "input"; allowed here: id, type, description, set, writes, undo, sandbox, skill, inputs, outputs, async, timeout, on_resume',
      'error $.steps[0].stesp[0].input.x step "b" runs later',
    ],
  },
  {
    title: 'a misspelled type is told with what was meant, and what it holds is the type',
    steps: [
      { id: 'a', typ: 'skill', skill: 'run', inputs: { x: 'b.data' }, tiemout: 5 },
      { id: 'b', Type: 'skil', skill: 'run' },
    ],
    more: { triggers: [{ tpye: 'schedule', corn: '* * * * *' }] },
    expected: [
      'error $.triggers[0].tpye unknown key "tpye"',
      'error $.steps[0].typ unknown key "typ"',
      'error $.steps[1].Type unknown key "Type"',
      'error $.triggers[0].corn unknown key "corn"; allowed here: type, cron, timezone, gap, fold, start_at, end_at, catch_up, catch_up_window, overlap, jitter, description',
      'error $.steps[0].tiemout unknown key "tiemout"; allowed here: id, type, description, set, writes, undo, sandbox, skill, inputs, outputs, async, timeout, on_resume',
      'error $.steps[1].Type "skil" is not allowed; allowed: skill, agent, approval, parallel, conditional, loop',
      'error $.steps[0].inputs.x step "b" runs later',
    ],
  },
  {
    title: 'the errors inside a step of an unknown type are told too',
    steps: [
      { id: 'p', type: 'paralel', steps: [{ id: 'a', type: 'skil', skill: 'run', timeout: 0 }, skill('B')] },
      { id: 'q', type: 'nothing', steps: [skill('c', { inputs: { x: 'd.data' } })], foo: 1 },
      skill('d'),
    ],
    expected: [
      'error $.steps[0].type "paralel" is not allowed; allowed: skill, agent, approval, parallel, conditional, loop',
      'error $.steps[1].type "nothing" is not allowed; allowed: skill, agent, approval, parallel, conditional, loop',
      'error $.steps[0].steps[0].type "skil" is not allowed; allowed: skill, agent, approval, parallel, conditional, loop',
      `error $.steps[0].steps[1].id "B" ${NOT_A_NAME}`,
      'error $.steps[0].steps[0].timeout 0 is not allowed: more than 0',
      'error $.steps[1].steps[0].inputs.x step "d" runs later',
    ],
  },
  {
    title: 'steps in a step that has none are declared',
    steps: [
      { id: 'p', type: 'skill', skill: 'run', steps: [skill('a')] },
      skill('b', { inputs: { x: { ref: 'a.data' } } }),
    ],
    expected: [
      'error $.steps[0].steps unknown key "steps"; allowed here: id, type, description, set, writes, undo, sandbox, skill, inputs, outputs, async, timeout, on_resume',
    ],
  },
  {
    title: 'declarations in the wrong form may declare any name',
    steps: [
      skill('a', {
        inputs: { x: 'inputs.url', y: '${{ url }}', z: 'later.x' },
        set: { counter: 'counter + 1' },
      }),
      skill('later'),
    ],
    more: { inputs: ['url'], context: { mutable: ['counter'], access: { counter: ['nobody'] } } },
    expected: [
      'error $.inputs must be an object, not array ["url"]',
      'error $.context.mutable must be an object, not array ["counter"]',
      'error $.steps[0].inputs.z step "later" runs later',
      'error $.context.access.counter[0] there is no step "nobody"',
    ],
  },
  {
    title: 'a broken declaration still declares its name',
    steps: [
      skill('a', { inputs: { x: 'inputs.url', y: 'inputs.ulr', z: '${{ counter }}' }, writes: ['counter'] }),
    ],
    more: { inputs: { url: 'string' }, context: { counter: 0 } },
    expected: [
      'error $.inputs.url must be an object, not string "string"',
      'error $.context.counter unknown key "counter"; allowed here: readonly, mutable, access',
      'error $.steps[0].inputs.y "inputs.ulr": inputs has no "ulr" (write {"literal": …} if it is no reference); did you mean "url"?',
    ],
  },
  {
    title: 'a wrong entry of a list keeps its place',
    steps: [skill('a', { writes: [5, 'nope'], outputs: [5, 'x', 'x'] })],
    more: {
      context: { mutable: { n: 0 }, access: { n: [5, 'nobody'] } },
      triggers: [5, { type: 'sometimes' }, { type: 'schedule', cron: '0 25 * * *' }],
      error_handling: {
        default: { strategy: 'retry', retry_on: [5, 'EXIT_NONZER'] },
        rollback: { steps: [5, 'x', 'x'] },
      },
    },
    expected: [
      'error $.triggers[0] must be an object, not number 5',
      'error $.triggers[1].type "sometimes" is not allowed; allowed: manual, schedule',
      'error $.context.access.n[0] must be a string, not number 5',
      'error $.steps[0].writes[0] must be a string, not number 5',
      'error $.steps[0].outputs[0] must be a string, not number 5',
      'error $.steps[0].outputs [5,"x","x"] is not allowed: it names the same thing twice',
      'error $.error_handling.default.retry_on[0] must be a string, not number 5',
      'error $.error_handling.rollback.steps[0] must be an object, not number 5',
      'error $.steps[0].writes[1] context.mutable has no "nope" to write',
      'error $.context.access.n[1] there is no step "nobody"',
      'error $.error_handling.rollback.steps[2] "x" is in rollback.steps already',
      'error $.triggers[2].cron "0 25 * * *" is not a cron expression: Field value (25) is out of range',
      'warning $.error_handling.default.retry_on[1] no error of q workflow has the code "EXIT_NONZER"; did you mean "EXIT_NONZERO"?',
    ],
  },
  {
    title: 'a broken policy is no missing one, and the steps it names are still looked for',
    steps: [skill('a', { undo: 7, inputs: { x: { ref: 'error.code' } } })],
    more: {
      error_handling: {
        default: { strategy: 'custom', custom_handler: 5 },
        per_step: { a: { continue_on_error: 'yes' }, b: 'retri' },
      },
    },
    expected: [
      'error $.steps[0].undo must be an object, not number 7',
      'error $.error_handling.default.custom_handler must be an object, not number 5',
      'error $.error_handling.per_step.a.continue_on_error must be a boolean, not string "yes"',
      'error $.error_handling.per_step.b "retri" is not allowed; allowed: halt, skip, retry, rollback, custom',
      'error $.error_handling.per_step.b there is no step "b"',
    ],
  },
  {
    title: 'a file without readable steps has its other errors',
    steps: { a: skill('a') },
    more: { triggers: [{ type: 'schedule', cron: 'x' }], error_handling: { per_step: { a: 'skip' } } },
    expected: [
      'error $.steps must be a list, not object {"a":{"id":"a","type":"skill","skill":"run"}}',
      'error $.triggers[0].cron "x" is not a cron expression: Unknown alias: x',
    ],
  },
];

for (const { title, steps, more, expected } of CASES)
  test(title, async () => {
    // Not a list in some cases: that is what they are about.
    assert.deepEqual(await complaints(steps as Json[], more), expected);
  });

test('a text that is no object has that error alone', async () => {
  for (const text of ['[]', '5', 'null', '"x"'])
    assert.deepEqual(
      (await load(text)).problems.map(({ path, message }) => `${path} ${message.slice(0, 20)}`),
      ['$ must be an object, n'],
    );
});

/** One of everything, without an error. */
const GOOD: JsonObject = {
  description: 'all',
  triggers: [
    { type: 'manual', description: 'by hand' },
    { type: 'schedule', cron: '0 5 * * *', timezone: 'UTC' },
  ],
  inputs: { url: { type: 'string', default: 'http://a' }, limit: { type: 'number', default: 5 } },
  context: {
    readonly: { user: 'x' },
    mutable: { counter: 0, list: [] },
    access: { counter: ['fetch', 'turn'] },
  },
  steps: [
    skill('fetch', {
      inputs: { url: 'inputs.url', who: { ref: 'context.user' } },
      outputs: ['data'],
      writes: ['counter'],
    }),
    {
      id: 'group',
      type: 'parallel',
      wait_for: 'any',
      steps: [
        skill('left', { inputs: { x: { ref: 'fetch.data' } }, undo: 'mend' }),
        { id: 'right', type: 'agent', agent: 'helper', guardrails: { max_iterations: 3 }, timeout: 5 },
      ],
    },
    {
      id: 'pick',
      type: 'conditional',
      condition: 'fetch.data == 1 && left.x != null',
      then: [skill('yes', { async: true, sandbox: { mode: 'best_effort', tier: 'skill' } })],
      else: [skill('no', { inputs: { text: 'n: ${{ counter + 1 }}' } })],
    },
    {
      id: 'turns',
      type: 'loop',
      condition: 'counter < limit',
      max_iterations: 3,
      on_limit: 'continue',
      steps: [
        skill('turn', {
          set: { counter: 'counter + iteration' },
          undo: { id: 'unturn', type: 'skill', skill: 'run' },
        }),
      ],
    },
    skill('last', { inputs: { x: { ref: 'turn.data' }, y: { ref: 'right.text' } }, on_resume: 'fail' }),
    skill('rescue', { inputs: { why: { ref: 'error.code' } } }),
  ],
  handlers: [skill('mend', { inputs: { x: { ref: 'left.x' } } })],
  error_handling: {
    default: {
      strategy: 'retry',
      max_attempts: 2,
      initial_delay: 1,
      max_delay: 2,
      retry_on: ['EXIT_NONZERO'],
    },
    per_step: {
      fetch: { strategy: 'custom', custom_handler: 'rescue' },
      left: 'skip',
      last: { continue_on_error: true },
    },
    rollback: { enabled: true, steps: ['mend'] },
  },
  resource_limits: { max_memory_mb: 100, enforcement: 'best_effort' },
  sandbox: 'best_effort',
};

/** Errors that have nothing to do with the rest of the file. */
const MISTAKES: JsonObject[] = [
  skill('early', { inputs: { x: 'tardy.data', y: '${{ 1 + }}' }, undo: 'no such' }),
  skill('tardy'),
];
const FOUND = [
  'error STEP0.inputs.x step "tardy" runs later',
  'error STEP0.undo "no such" is neither the id of a step nor the name of a skill: letters, digits, _ and -',
];

const IS_HANDLER = 'step "rescue" is named as a handler, so it does not run in the normal flow';

type Place = readonly (string | number)[];

function placesOf(value: unknown, place: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [place];
  const inner = Object.entries(value).flatMap(([key, item]) =>
    placesOf(item, [...place, Array.isArray(value) ? Number(key) : key]),
  );
  return [place, ...inner];
}

function put(root: JsonObject, place: Place, value: Json | undefined): JsonObject {
  const copy = structuredClone(root);
  const owner = place.slice(0, -1).reduce<unknown>((at, key) => Reflect.get(Object(at), key), copy);
  if (value === undefined) Reflect.deleteProperty(Object(owner), place.at(-1) ?? '');
  else Reflect.set(Object(owner), place.at(-1) ?? '', value);
  return copy;
}

const pathOf = (place: Place): string =>
  place.reduce<string>(
    (path, key) =>
      `${path}${typeof key === 'number' ? `[${key}]` : /^\w+$/.test(key) ? `.${key}` : `["${key}"]`}`,
    '$',
  );

const JUNK: readonly (Json | undefined)[] = [
  undefined,
  null,
  5,
  true,
  '',
  'Bad Name!',
  [[]],
  { junk: { id: 7 } },
  ['x', 5],
];
/** Free JSON or free text: nothing that stands there breaks the schema. */
const FREE =
  /^\$\.(description|context\.(readonly|mutable)\.\w+|.*\.inputs\.\w+.*|inputs\.\w+\.default|.*\.description|.*\.guardrails\..*)$/;

const DECLARING = /^\$\.(inputs|context(\.\w+)?|error_handling(\.per_step)?)$/;

test('the good file has no problem, and with the mistakes those', async () => {
  const { problems } = await load(fileOf(GOOD['steps'] as Json[], GOOD));
  assert.deepEqual(
    problems.map(({ message }) => message),
    [IS_HANDLER],
  );
});

test('whatever one part is replaced by, the errors are about that part, and the mistakes elsewhere are found', async () => {
  const all = [...(GOOD['steps'] as JsonObject[]), ...MISTAKES];
  const base: JsonObject = { ...GOOD, steps: all };
  const first = `$.steps[${all.length - MISTAKES.length}]`;
  const found = FOUND.map((line) => line.replace('STEP0', first));
  const places = placesOf(base).filter((place) => place.length > 0 && !FREE.test(pathOf(place)));
  const isMistake = (path: string): boolean =>
    path.startsWith(first) || path.startsWith(`$.steps[${all.length - 1}]`);
  let broken = 0;
  for (const place of places)
    for (const junk of JUNK) {
      const path = pathOf(place);
      if (isMistake(path) || (junk === undefined && typeof place.at(-1) === 'number')) continue;
      // Other declarations are not broken ones.
      if (DECLARING.test(path) && typeof junk === 'object' && junk !== null && !Array.isArray(junk)) continue;
      // So is another id that can be read.
      if (place.at(-1) === 'id' && ['number', 'boolean', 'string'].includes(typeof junk) && junk !== '')
        continue;
      const { problems } = await load(
        JSON.stringify({ name: 'flow', version: '1.0.0', ...put(base, place, junk) }),
      );
      const label = `${path} = ${JSON.stringify(junk)}`;
      const others = problems.filter((problem) => !isMistake(problem.path) && problem.message !== IS_HANDLER);
      const about = others.filter((problem) => problem.path.startsWith(path));
      // A value that the schema takes means something else: what it leads to is no follow-on.
      if (
        !about.some((problem) => /must be|not allowed|is missing|is not a|unknown key/.test(problem.message))
      )
        continue;
      broken += 1;
      assert.deepEqual(
        others.filter((problem) => !about.includes(problem)),
        [],
        label,
      );
      if (path === '$.steps') continue;
      const lines = problems.map((problem) => `${problem.severity} ${problem.path} ${problem.message}`);
      for (const line of found)
        assert.ok(lines.includes(line), `${label} hides ${line}: ${lines.join('\n')}`);
      assert.ok(
        lines.some((line) => line.startsWith(`error ${first}.inputs.y the expression`)),
        label,
      );
    }
  assert.ok(broken > 500, `${broken} cases`);
});

test('however many parts are broken, it is told and nothing is thrown', async () => {
  const places = placesOf(GOOD).filter((place) => place.length > 0);
  const breaks = fc.array(fc.tuple(fc.constantFrom(...places), fc.constantFrom(...JUNK)), {
    minLength: 2,
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(breaks, async (chosen) => {
      const broken = chosen.reduce((file, [place, junk]) => put(file, place, junk), GOOD);
      const { workflow, problems } = await load(
        JSON.stringify({ name: 'flow', version: '1.0.0', ...broken }),
      );
      assert.equal(
        workflow === null,
        problems.some(({ severity }) => severity === 'error'),
      );
      for (const { message, path } of problems) assert.doesNotMatch(`${path} ${message}`, /UNREADABLE_PART/);
    }),
    { numRuns: 500 },
  );
});
