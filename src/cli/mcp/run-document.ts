import type { Json, JsonObject } from '../../definition/workflow.ts';
import type { StatusDocument } from '../../protocol/control.ts';
import { hasEndedStatus } from '../exit-status.ts';
import { PLAIN } from '../text/style.ts';
import { statusText } from '../text/summary.ts';
import type { ToolAnswer } from './tool.ts';

// A model pays for every character that it reads, and its client cuts what is too long wherever it likes.
const MAX_STEPS = 100;
const MAX_VALUE_CHARACTERS = 4096;
const MAX_VALUES_CHARACTERS = 32 * 1024;

const TEXT = { type: 'string' };
const MAYBE_TEXT = { type: ['string', 'null'] };
const MAYBE_OBJECT = { type: ['object', 'null'] };

/** JSON Schemas of the fields of the document. */
export const RUN_RESULT: Readonly<Record<string, JsonObject>> = {
  id: TEXT,
  workflow: TEXT,
  version: TEXT,
  status: { ...TEXT, description: 'queued, running, waiting, paused, completed, failed, stopped, killed …' },
  has_ended: { type: 'boolean' },
  reason: MAYBE_TEXT,
  started_at: MAYBE_TEXT,
  ended_at: MAYBE_TEXT,
  waits_for_approvals: {
    type: 'array',
    items: { type: 'integer' },
    description: 'numbers of what a person has to approve; no tool of this server can',
  },
  steps: { type: 'array', items: { type: 'object' }, description: `the last ${MAX_STEPS}` },
  steps_left_out: { type: 'integer' },
  context: { type: 'object' },
  error: { ...MAYBE_OBJECT, description: '{code, message, step, hint}' },
  notice: MAYBE_TEXT,
};

/** An instance as a model gets it: what `status <id> --json` prints, shortened, with large values cut. */
export function runAnswer(run: StatusDocument, before: readonly string[] = []): ToolAnswer {
  const steps = run.steps.slice(-MAX_STEPS);
  const cut = valueCutter();
  const data = {
    id: run.id,
    workflow: run.workflow,
    version: run.version,
    status: run.status,
    has_ended: hasEndedStatus(run.status),
    reason: run.reason,
    started_at: run.started_at,
    ended_at: run.ended_at,
    waits_for_approvals: run.steps.flatMap(({ approvals }) => approvals),
    // The last ones count most: they get their room first.
    steps: steps
      .toReversed()
      .map(({ path, type, status, attempts, error, outputs }) => ({
        path,
        type,
        status,
        attempts,
        error: error === null ? null : { code: error.code, message: error.message, hint: error.hint },
        outputs: cut(outputs),
      }))
      .toReversed(),
    steps_left_out: run.steps.length - steps.length,
    context: Object.fromEntries(Object.entries(run.context).map(([name, value]) => [name, cut(value)])),
    error: run.error,
    notice: run.notice,
  };
  const results = data.steps
    .filter(({ outputs }) => outputs !== null)
    .map(({ path, outputs }) => `  ${path}: ${JSON.stringify(outputs)}`);
  const text = [
    ...before,
    statusText(
      { ...run, usage: null, steps },
      { style: PLAIN, width: Number.POSITIVE_INFINITY, now: Date.now() },
    ),
    ...(data.steps_left_out === 0 ? [] : [`${data.steps_left_out} earlier steps are left out.`]),
    ...(results.length === 0 ? [] : ['outputs', ...results]),
    ...(data.waits_for_approvals.length === 0
      ? []
      : ['It waits for a person, who decides by q workflow approvals. You cannot approve it.']),
    ...(data.has_ended ? [] : [`It goes on by itself. Ask again with instance_status, id ${run.id}.`]),
  ].join('\n');
  return { data, text };
}

/** Cuts what is large by itself, and all once their sum is used up. */
function valueCutter(): (value: Json) => Json {
  let room = MAX_VALUES_CHARACTERS;
  return (value) => {
    const text = JSON.stringify(value);
    const most = Math.min(MAX_VALUE_CHARACTERS, room);
    room -= Math.min(text.length, most);
    return text.length <= most ? value : { $cut: text.slice(0, most), characters: text.length };
  };
}
