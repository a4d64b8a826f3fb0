import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json, JsonObject } from '../../src/definition/workflow.ts';
import { complaints } from './support.ts';

interface Case {
  readonly title: string;
  readonly steps: Json[];
  readonly more?: JsonObject;
  /** Severity, path and message of every problem. */
  readonly expected: readonly string[];
}

const CASES: readonly Case[] = [
  {
    title: 'a reserved word is no id',
    steps: [{ id: 'context', type: 'skill', skill: 'run' }],
    expected: ['error $.steps[0].id "context" is a reserved word and cannot be the id of a step'],
  },
  {
    title: 'ids are unique over all steps',
    steps: [
      { id: 'a', type: 'skill', skill: 'run' },
      { id: 'p', type: 'parallel', steps: [{ id: 'a', type: 'skill', skill: 'run' }] },
    ],
    expected: ['error $.steps[1].steps[0].id the id "a" is used twice; it is the step at $.steps[0] already'],
  },
  {
    title: 'an id is not a key of context',
    steps: [{ id: 'a', type: 'skill', skill: 'run' }],
    more: { context: { mutable: { a: 1 } } },
    expected: [
      'error $.steps[0].id the id "a" is a key of context too; expressions could not tell them apart',
    ],
  },
  {
    title: 'an id follows the grammar',
    steps: [{ id: 'A-b', type: 'skill', skill: 'run' }],
    expected: ['error $.steps[0].id "A-b" is not a name: lower-case letters and digits, with hyphens inside'],
  },
  {
    title: 'a reference to a later step is refused',
    steps: [
      { id: 'a', type: 'skill', skill: 'run', inputs: { x: 'b.data' } },
      { id: 'b', type: 'skill', skill: 'run' },
    ],
    expected: ['error $.steps[0].inputs.x step "b" runs later'],
  },
  {
    title: 'a step does not refer to itself',
    steps: [{ id: 'a', type: 'skill', skill: 'run', inputs: { x: 'a.data' } }],
    expected: ['error $.steps[0].inputs.x step "a" refers to its own result'],
  },
  {
    title: 'a branch does not refer to a branch beside it',
    steps: [
      {
        id: 'p',
        type: 'parallel',
        steps: [
          { id: 'a', type: 'skill', skill: 'run' },
          { id: 'b', type: 'skill', skill: 'run', inputs: { x: 'a.data' } },
        ],
      },
    ],
    expected: [
      'error $.steps[0].steps[1].inputs.x step "a" is in another branch of the parallel group "p": all branches start together',
    ],
  },
  {
    title: 'then and else do not refer to each other',
    steps: [
      {
        id: 'c',
        type: 'conditional',
        condition: 'true',
        then: [{ id: 'a', type: 'skill', skill: 'run' }],
        else: [{ id: 'b', type: 'skill', skill: 'run', inputs: { x: 'a.data' } }],
      },
    ],
    expected: ['error $.steps[0].else[0].inputs.x step "a" is in the other branch of the conditional "c"'],
  },
  {
    title: 'the condition of a loop does not refer to the loop',
    steps: [
      {
        id: 'l',
        type: 'loop',
        condition: 'l.iterations < 3',
        steps: [{ id: 'a', type: 'skill', skill: 'run' }],
      },
      { id: 'b', type: 'skill', skill: 'run', inputs: { x: 'a.data' } },
    ],
    expected: ['error $.steps[0].condition step "l" refers to its own result'],
  },
  {
    title: 'a step after a loop may refer into it',
    steps: [
      {
        id: 'l',
        type: 'loop',
        condition: 'iteration < 3',
        steps: [{ id: 'a', type: 'skill', skill: 'run' }],
      },
      { id: 'b', type: 'skill', skill: 'run', inputs: { x: 'a.data' } },
    ],
    expected: [],
  },
  {
    title: 'the condition of a loop may refer into it',
    steps: [
      { id: 'l', type: 'loop', condition: 'a.n < 3', steps: [{ id: 'a', type: 'skill', skill: 'run' }] },
    ],
    expected: [],
  },
  {
    title: 'a condition does not refer into its own branches',
    steps: [
      {
        id: 'c',
        type: 'conditional',
        condition: 'a.x == 1',
        then: [{ id: 'a', type: 'skill', skill: 'run' }],
        else: [],
      },
    ],
    expected: ['error $.steps[0].condition step "a" lies inside this step and runs later'],
  },
  {
    title: 'a step does not refer to the group around it',
    steps: [
      { id: 'p', type: 'parallel', steps: [{ id: 'a', type: 'skill', skill: 'run', inputs: { x: 'p.b' } }] },
    ],
    expected: ['error $.steps[0].steps[0].inputs.x step "p" holds this step and ends after it'],
  },
  {
    title: 'a near miss of a step id is a warning',
    steps: [
      { id: 'fetch-data', type: 'skill', skill: 'run' },
      { id: 'b', type: 'skill', skill: 'run', inputs: { x: 'fetch-dta.data' } },
    ],
    expected: [
      'warning $.steps[1].inputs.x "fetch-dta.data" is taken as text; there is no step "fetch-dta"; did you mean "fetch-data"?',
    ],
  },
  {
    title: 'a reference names a declared input',
    steps: [{ id: 'a', type: 'skill', skill: 'run', inputs: { x: 'inputs.ulr' } }],
    more: { inputs: { url: { type: 'string' } } },
    expected: [
      'error $.steps[0].inputs.x "inputs.ulr": inputs has no "ulr" (write {"literal": …} if it is no reference); did you mean "url"?',
    ],
  },
  {
    title: 'a reference names a key of context',
    steps: [{ id: 'a', type: 'skill', skill: 'run', inputs: { x: 'context.usr' } }],
    more: { context: { readonly: { user: 1 } } },
    expected: [
      'error $.steps[0].inputs.x "context.usr": context has no "usr" (write {"literal": …} if it is no reference); did you mean "user"?',
    ],
  },
  {
    title: 'an explicit reference names a known step',
    steps: [{ id: 'a', type: 'skill', skill: 'run', inputs: { x: [{ ref: 'b.x' }] } }],
    expected: ['error $.steps[0].inputs.x[0] "b.x" refers to no known step'],
  },
  {
    title: 'an explicit reference has the shape of one',
    steps: [{ id: 'a', type: 'skill', skill: 'run', inputs: { x: { ref: 'b x' } } }],
    expected: ['error $.steps[0].inputs.x "b x" is not a reference; one looks like fetch-data.items[0].name'],
  },
  {
    title: 'an explicit reference is a string',
    steps: [{ id: 'a', type: 'skill', skill: 'run', inputs: { x: { ref: 5 } } }],
    expected: [
      'error $.steps[0].inputs.x ref and secret take a string; an object of that form is written {"literal": {…}}',
    ],
  },
  {
    title: 'a condition compiles',
    steps: [
      {
        id: 'c',
        type: 'conditional',
        condition: 'a +',
        then: [{ id: 'a', type: 'skill', skill: 'run' }],
        else: [],
      },
    ],
    expected: ['error $.steps[0].condition the expression ends too early (column 4 of "a +")'],
  },
  {
    title: 'a condition uses known names',
    steps: [
      {
        id: 'c',
        type: 'conditional',
        condition: 'countr < 5',
        then: [{ id: 'a', type: 'skill', skill: 'run' }],
        else: [],
      },
    ],
    more: { context: { mutable: { counter: 0 } } },
    expected: [
      'error $.steps[0].condition unknown name "countr"; did you mean "counter"? (column 1 of "countr < 5")',
    ],
  },
  {
    title: 'a template uses known names',
    steps: [{ id: 'a', type: 'skill', skill: 'run', inputs: { x: 'v ${{ nope.x }}' } }],
    expected: ['error $.steps[0].inputs.x unknown name "nope" (column 7 of "v ${{ nope.x }}")'],
  },
  {
    title: 'per_step names known steps',
    steps: [{ id: 'fetch', type: 'skill', skill: 'run' }],
    more: { error_handling: { per_step: { fetsh: 'skip' } } },
    expected: ['error $.error_handling.per_step.fetsh there is no step "fetsh"; did you mean "fetch"?'],
  },
  {
    title: 'custom in a word has no handler',
    steps: [{ id: 'a', type: 'skill', skill: 'run' }],
    more: { error_handling: { default: 'custom' } },
    expected: ['error $.error_handling.default the strategy custom needs an object with "custom_handler"'],
  },
  {
    title: 'custom needs a handler',
    steps: [{ id: 'a', type: 'skill', skill: 'run' }],
    more: { error_handling: { default: { strategy: 'custom' } } },
    expected: [
      'error $.error_handling.default.custom_handler the strategy custom needs "custom_handler": a handler\'s id, a skill\'s name or a step',
    ],
  },
  {
    title: 'then custom needs a handler',
    steps: [{ id: 'a', type: 'skill', skill: 'run' }],
    more: { error_handling: { default: { strategy: 'retry', then: 'custom' } } },
    expected: [
      'error $.error_handling.default.custom_handler the strategy custom needs "custom_handler": a handler\'s id, a skill\'s name or a step',
    ],
  },
  {
    title: 'set names a mutable key',
    steps: [{ id: 'a', type: 'skill', skill: 'run', set: { countr: '1' } }],
    more: { context: { mutable: { counter: 0 } } },
    expected: [
      'error $.steps[0].set.countr context.mutable has no "countr" to write; did you mean "counter"?',
    ],
  },
  {
    title: 'set leaves readonly alone',
    steps: [{ id: 'a', type: 'skill', skill: 'run', set: { user: '1' } }],
    more: { context: { readonly: { user: 0 } } },
    expected: ['error $.steps[0].set.user "user" is in context.readonly: no step may write it'],
  },
  {
    title: 'writes names a mutable key',
    steps: [{ id: 'a', type: 'skill', skill: 'run', writes: ['nope'] }],
    expected: ['error $.steps[0].writes[0] context.mutable has no "nope" to write'],
  },
  {
    title: 'only steps of context.access write',
    steps: [
      { id: 'a', type: 'skill', skill: 'run', writes: ['n'] },
      { id: 'b', type: 'skill', skill: 'run' },
    ],
    more: { context: { mutable: { n: 0 }, access: { n: ['b'] } } },
    expected: ['error $.steps[0].writes[0] step "a" may not write "n": context.access lists b'],
  },
  {
    title: 'context.access names known steps and keys',
    steps: [{ id: 'a', type: 'skill', skill: 'run' }],
    more: { context: { mutable: { n: 0 }, access: { n: ['bb'], m: ['a'] } } },
    expected: [
      'error $.context.access.n[0] there is no step "bb"',
      'error $.context.access.m context.mutable has no "m"',
    ],
  },
  {
    title: 'rollback.steps names a step once',
    steps: [{ id: 'a', type: 'skill', skill: 'run' }],
    more: { error_handling: { rollback: { steps: ['x', 'x'] } } },
    expected: ['error $.error_handling.rollback.steps[1] "x" is in rollback.steps already'],
  },
  {
    title: 'rollback that is turned off is a warning',
    steps: [{ id: 'a', type: 'skill', skill: 'run' }],
    more: { error_handling: { default: 'rollback', rollback: { enabled: false } } },
    expected: [
      'warning $.error_handling.default the strategy is rollback, but error_handling.rollback.enabled is false: it ends as halt does',
    ],
  },
  {
    title: 'a schedule that never starts anything is a warning',
    steps: [{ id: 'a', type: 'skill', skill: 'run' }],
    more: {
      inputs: { to: { required: true }, from: { required: true, default: 1 }, by: {} },
      triggers: [
        { type: 'schedule', cron: '0 0 31 2,4 *' },
        { type: 'schedule', cron: '0 0 30 2 1' },
        { type: 'schedule', cron: '0 0 29 2 *' },
        // Only a bare `*` leaves the day of the week out of the OR.
        { type: 'schedule', cron: '0 0 31 2 */1' },
        { type: 'schedule', cron: '0 0 31 4,6 0-6' },
        {
          type: 'schedule',
          cron: '@daily',
          start_at: '2026-12-01T00:00:00Z',
          end_at: '2026-12-01T00:00:00+01:00',
        },
      ],
    },
    expected: [
      'warning $.triggers[0].cron no month of it has such a day: it never fires',
      'warning $.triggers[5].end_at it is before start_at: the schedule never fires',
      'warning $.inputs.to it is required and has no default: a fire of the schedule gives it no value, and fails',
    ],
  },
  {
    title: 'bounds of a schedule are instants that there are',
    steps: [{ id: 'a', type: 'skill', skill: 'run' }],
    more: {
      triggers: [
        { type: 'schedule', cron: '@daily', end_at: '2026-13-01T00:00:00Z' },
        { type: 'schedule', cron: '@daily', start_at: '2026-02-29T00:00:00Z' },
        { type: 'schedule', cron: '@daily', start_at: '2028-02-29T00:00:00Z', end_at: '2028-03-01T25:00Z' },
      ],
    },
    expected: [
      'error $.triggers[0].end_at "2026-13-01T00:00:00Z" is no instant with an offset, such as 2026-12-01T00:00:00Z',
      'error $.triggers[1].start_at "2026-02-29T00:00:00Z" is no instant with an offset, such as 2026-12-01T00:00:00Z',
      'error $.triggers[2].end_at "2028-03-01T25:00Z" is no instant with an offset, such as 2026-12-01T00:00:00Z',
    ],
  },
  {
    title: 'cron and time zone of a schedule are checked',
    steps: [{ id: 'a', type: 'skill', skill: 'run' }],
    more: { triggers: [{ type: 'schedule', cron: '0 25 * * *', timezone: 'Europe/Berln' }] },
    expected: [
      'error $.triggers[0].cron "0 25 * * *" is not a cron expression: Field value (25) is out of range',
      'error $.triggers[0].timezone "Europe/Berln" is not an IANA time zone; did you mean "Europe/Berlin"?',
    ],
  },
  {
    title: 'numbers of retry are sane',
    steps: [{ id: 'a', type: 'skill', skill: 'run' }],
    more: {
      error_handling: { default: { strategy: 'retry', max_attempts: 0, initial_delay: 10, max_delay: 5 } },
    },
    expected: [
      'error $.error_handling.default.max_attempts 0 is not allowed: at least 1',
      'error $.error_handling.default.max_delay max_delay 5 is less than initial_delay 10',
    ],
  },
  {
    title: 'a step named as handler leaves the flow with a warning',
    steps: [
      { id: 'a', type: 'skill', skill: 'run' },
      { id: 'h', type: 'skill', skill: 'run' },
    ],
    more: { error_handling: { per_step: { a: { strategy: 'custom', custom_handler: 'h' } } } },
    expected: [
      'warning $.error_handling.per_step.a.custom_handler step "h" is named as a handler, so it does not run in the normal flow',
    ],
  },
  {
    title: 'a nested step named as handler leaves the flow with a warning',
    steps: [
      { id: 'a', type: 'skill', skill: 'run' },
      {
        id: 'p',
        type: 'parallel',
        steps: [
          { id: 'h', type: 'skill', skill: 'run' },
          { id: 'k', type: 'skill', skill: 'run' },
        ],
      },
    ],
    more: { error_handling: { default: { strategy: 'custom', custom_handler: 'h' } } },
    expected: [
      'warning $.error_handling.default.custom_handler step "h" is named as a handler, so it does not run in the normal flow',
    ],
  },
  {
    title: 'no handler is called undo',
    steps: [{ id: 'a', type: 'skill', skill: 'run' }],
    more: { handlers: [{ id: 'undo', type: 'skill', skill: 'run' }] },
    expected: [
      'error $.handlers[0].id "undo" is a reserved word: no handler may be called so',
      'warning $.handlers[0].id no policy, undo or rollback names the handler "undo": it never runs',
    ],
  },
  {
    title: 'the flow does not refer to a handler, a handler may refer to the flow and to error',
    steps: [{ id: 'a', type: 'skill', skill: 'run', inputs: { x: 'h.data' } }],
    more: {
      handlers: [{ id: 'h', type: 'skill', skill: 'run', inputs: { x: 'error.code', y: 'a.data' } }],
      error_handling: { default: { strategy: 'custom', custom_handler: 'h' } },
    },
    expected: [
      'error $.steps[0].inputs.x "h" is a handler: it does not run in the normal flow, its result stands for that of the step it handles',
    ],
  },
  {
    title: 'error is known in handlers only',
    steps: [{ id: 'a', type: 'skill', skill: 'run', inputs: { x: { ref: 'error.code' } } }],
    expected: ['error $.steps[0].inputs.x "error.code": "error" is known only in error handlers'],
  },
  {
    title: 'a misspelled type gives one error',
    steps: [{ id: 'a', type: 'skil', skill: 'x' }],
    expected: [
      'error $.steps[0].type "skil" is not allowed; allowed: skill, agent, approval, parallel, conditional, loop',
    ],
  },
  {
    title: 'a missing type gives one error',
    steps: [{ id: 'a', skill: 'x' }],
    expected: [
      'error $.steps[0].type "type" is missing; allowed: skill, agent, approval, parallel, conditional, loop',
    ],
  },
  {
    title: 'an unknown key gives one error',
    steps: [{ id: 'p', type: 'parallel', steps: [{ id: 'a', type: 'skill', skill: 'run' }], wait_fr: 'any' }],
    expected: [
      'error $.steps[0].wait_fr unknown key "wait_fr"; allowed here: id, type, description, set, writes, undo, sandbox, steps, wait_for',
    ],
  },
  {
    title: 'a wrong value lists what is allowed',
    steps: [
      { id: 'p', type: 'parallel', steps: [{ id: 'a', type: 'skill', skill: 'run' }], wait_for: 'one' },
    ],
    expected: ['error $.steps[0].wait_for "one" is not allowed; allowed: all, any, none'],
  },
  {
    title: 'errors of schema and of meaning come together',
    steps: [
      { id: 'a', type: 'skil', skill: 'x' },
      { id: 'b', type: 'skill', skill: 'run', inputs: { x: 'c.data' } },
      { id: 'c', type: 'skill', skill: 'run' },
    ],
    expected: [
      'error $.steps[0].type "skil" is not allowed; allowed: skill, agent, approval, parallel, conditional, loop',
      'error $.steps[1].inputs.x step "c" runs later',
    ],
  },
  {
    title: 'a workflow has a step',
    steps: [],
    expected: ['error $.steps [] is not allowed: at least 1 entry'],
  },
  {
    title: 'a timeout is more than nothing',
    steps: [{ id: 'a', type: 'skill', skill: 'run', timeout: 0 }],
    expected: ['error $.steps[0].timeout 0 is not allowed: more than 0'],
  },
  {
    title: 'a handler that is no step has the name of a skill',
    steps: [{ id: 'a', type: 'skill', skill: 'run', undo: 'we ird/x' }],
    expected: [
      'error $.steps[0].undo "we ird/x" is neither the id of a step nor the name of a skill: letters, digits, _ and -',
    ],
  },
  {
    title: 'set and undo of a step may refer to it',
    steps: [
      {
        id: 'a',
        type: 'skill',
        skill: 'run',
        undo: { id: 'u', type: 'skill', skill: 'run', inputs: { x: 'a.data' } },
        set: { n: 'a.v' },
      },
    ],
    more: { context: { mutable: { n: 0 } } },
    expected: [],
  },
];

for (const { title, steps, more, expected } of CASES) {
  test(title, async () => {
    assert.deepEqual(await complaints(steps, more), expected);
  });
}
