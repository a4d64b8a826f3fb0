import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadWorkflow } from '../../src/definition/load.ts';
import type { JsonObject } from '../../src/definition/workflow.ts';
import { answersOf, definitionOf } from '../../src/wizard/definition.ts';
import { createFlow, editFlow } from '../../src/wizard/flows/create-flow.ts';
import { type Flow, type Question, refusal } from '../../src/wizard/question.ts';
import { worldOf } from './desk.ts';

/** Texts that people and tests of parsers type. */
const TEXTS = [
  '',
  '-',
  ' ',
  'a',
  'done',
  'http://x.y/z',
  'disk-usage',
  'inputs.a',
  'context',
  'step.stdout',
  '${{ inputs.a }}',
  '${{',
  '"',
  '\\',
  '{"a": 1}',
  '{"ref": "x"}',
  '[1]',
  'true',
  '3',
  '0',
  '0.5',
  '-1',
  '1e3',
  '2 GB',
  '90s',
  '09:00',
  '24:00',
  '* * * * *',
  '61 * * * *',
  'UTC',
  'Mars/Sea',
  'echo {a} | cat',
  "it's",
  'error',
  'loop',
  'iteration',
  '__proto__',
  'constructor',
  'x.json',
  'counter',
  'counter + 1',
  'ä',
  'a b',
  'a_b',
  'A',
  'exit_code',
  'stdout, stdout',
  '1.2.3',
] as const;
/** After so many questions the person wants to be done. */
const PATIENCE = 40;
const MOST = 300;

test('whatever is answered, what is saved is a valid workflow and is read back as it was', {
  timeout: 120_000,
}, async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(), { minLength: 40, maxLength: 200 }), async (dice) => {
      const finished = await random(
        createFlow(worldOf(), { purpose: null, wantsDraft: false, file: null }),
        dice,
      );
      if (finished === null) return;
      count += 1;
      const definition = definitionOf(finished.answers);
      const { problems } = await loadWorkflow(JSON.stringify(definition));
      assert.deepEqual(
        problems.filter(({ severity }) => severity === 'error'),
        [],
        JSON.stringify(definition),
      );
      assert.deepEqual(definitionOf(answersOf(definition as JsonObject)), definition);
    }),
    // RUNS=100 looks longer (90 s). Shrinking a conversation takes minutes and explains nothing.
    { numRuns: Number(process.env['RUNS'] ?? 6), endOnFailure: true },
  );
  assert.ok(count > 0, `no conversation ended with a workflow`);
});

const RICH: JsonObject = {
  name: 'nightly',
  version: '1.0.0',
  triggers: [{ type: 'schedule', cron: '0 9 * * *', timezone: 'Europe/Berlin' }],
  context: { mutable: { seen: 0, last: 'none' } },
  steps: [
    {
      id: 'fetch',
      type: 'skill',
      skill: 'http-fetch',
      inputs: { url: 'https://x.example' },
      writes: ['seen'],
    },
    { id: 'sort', type: 'agent', agent: 'triage', inputs: { task: 'sort $' + '{{ fetch.stdout }}' } },
    { id: 'mail', type: 'skill', skill: 'send-mail' },
  ],
  handlers: [{ id: 'clean', type: 'skill', skill: 'send-mail' }],
  error_handling: { per_step: { mail: 'skip' } },
};

test('whatever is changed of a workflow with all of it, it stays valid', { timeout: 120_000 }, async () => {
  const reached = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(), { minLength: 40, maxLength: 200 }), async (dice) => {
      const answers = await random(editFlow(worldOf(), answersOf(RICH)), dice, (id) =>
        reached.add(id.replace(/\/\d+/g, '')),
      );
      if (answers === null) return;
      const definition = definitionOf(answers);
      const { problems } = await loadWorkflow(JSON.stringify(definition));
      assert.deepEqual(
        problems.filter(({ severity }) => severity === 'error'),
        [],
        JSON.stringify(definition),
      );
    }),
    // The same dice each time: that they get to these questions is asserted too.
    { numRuns: Number(process.env['RUNS'] ?? 30), endOnFailure: true, seed: 7 },
  );
  for (const end of ['/writes', '/overlap', '/catch-up', '/on-error/handler'])
    assert.ok(
      [...reached].some((id) => id.endsWith(end)),
      `${end} was never asked; but ${[...reached].join(' ')}`,
    );
});

/** A name that is always free: dice may fall the same way twice. */
let names = 0;

/** Leads a flow by dice; a reply that is refused is thrown again, at last the standard one is taken. */
async function random<T>(
  flow: Flow<T | null>,
  dice: readonly number[],
  look: (id: string) => void = () => undefined,
): Promise<T | null> {
  let at = 0;
  const roll = (sides: number): number => (dice[at++ % dice.length] ?? 0) % sides;
  let next = flow.next();
  for (let asked = 0; next.done !== true; asked += 1) {
    if (asked > MOST) return null;
    const question: Question = next.value;
    look(question.id);
    next = flow.next(await takenReply(question, roll, asked > PATIENCE));
  }
  return next.value;
}

async function takenReply(
  question: Question,
  roll: (sides: number) => number,
  isTired: boolean,
): Promise<string> {
  const isTaken = async (reply: string): Promise<boolean> => (await refusal(question, reply)) === null;
  if (question.kind === 'choice' && isTired) {
    const end = ['done', 'save', 'no', 'keep', 'usual', 'leave', 'omit'].find((value) =>
      question.choices.some((each) => each.value === value),
    );
    if (end !== undefined && (await isTaken(end))) return end;
  }
  for (let tries = 0; tries < 6; tries += 1) {
    const reply =
      question.kind === 'choice'
        ? (question.choices[roll(question.choices.length)]?.value ?? '')
        : (TEXTS[roll(TEXTS.length)] ?? '');
    if (reply !== 'drop' && (await isTaken(reply))) return reply;
  }
  names += 1;
  // Some questions take few texts: names that are free, messages, a condition.
  const more =
    question.kind === 'choice'
      ? question.choices.map(({ value }) => value)
      : ['', `n${names}`, '$' + '{{ 1 }}', 'true', '5', '{}', '[]', 'x.json'];
  const reasons: string[] = [];
  for (const reply of [...(question.kind === 'work' ? [] : [question.standard]), ...more]) {
    if (reply !== 'drop' && (await isTaken(reply))) return reply;
    reasons.push(`${reply}: ${await refusal(question, reply)}`);
  }
  throw new Error(`nothing is taken by ${question.id} (${question.text}): ${reasons.join('; ')}`);
}
