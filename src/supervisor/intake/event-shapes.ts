import type { RunEventType } from '../../engine/events.ts';
import {
  amount,
  anything,
  count,
  listOf,
  moment,
  object,
  oneOf,
  optional,
  orNull,
  type Shape,
  shaped,
  text,
} from './shape.ts';

const usage = shaped({ in: amount, out: amount, cached: amount });
const outcome = oneOf('ok', 'error', 'denied', 'interrupted');
const end = oneOf('completed', 'failed', 'stopped', 'killed', 'timed_out', 'rolled_back', 'rollback_failed');
const ofAttempt = { path: text, stepType: optional(text), attempt: count };

/** The fields of each event that are counted, compared, kept or shown by somebody beside the run itself. */
export const EVENT_SHAPES: Readonly<Record<RunEventType, Shape>> = {
  'run.started': { inputs: object, context: shaped({ readonly: object, mutable: object }) },
  'run.resumed': { forgotten: optional(listOf(text)), reopened: optional(listOf(text)) },
  'run.stopping': { kind: text, by: text },
  'run.waiting': { until: moment },
  'run.ended': { status: end, reason: text, error: orNull(object) },
  'rollback.started': { step: text, error: object },
  'limit.hit': { path: orNull(text), limit: text, allowed: amount, peak: amount },
  'step.started': { ...ofAttempt, inputs: optional(object) },
  'step.interrupted': ofAttempt,
  'step.completed': { ...ofAttempt, result: anything, writes: object },
  'attempt.failed': { ...ofAttempt, error: object },
  'step.retrying': { ...ofAttempt, delayMs: amount, dueAt: amount },
  'step.suspended': { ...ofAttempt, approvals: listOf(count), until: moment },
  'step.released': { path: text, approval: count },
  'step.failed': { path: text, error: object },
  'step.skipped': { path: text, error: orNull(object) },
  'step.cancelled': { path: text, reason: text },
  'step.handled': { path: text, handler: text, result: anything },
  'branch.chosen': { path: text, branch: text },
  'turn.started': { path: text, iteration: count },
  'turn.completed': { path: text, iteration: count },
  'agent.requested': {
    path: text,
    attempt: count,
    iteration: count,
    model: object,
    estimate: shaped({ in: amount, out: amount }),
  },
  'agent.request_failed': {
    path: text,
    iteration: count,
    retry: count,
    usage,
    retryInMs: orNull(amount),
  },
  'agent.answered': { path: text, iteration: count, message: anything, usage },
  'agent.tool_called': {
    path: text,
    iteration: count,
    call: text,
    tool: text,
    args: object,
    hook: optional(object),
  },
  'agent.tool_ended': { path: text, call: text, outcome, result: anything, bytes: count },
  'agent.violated': { path: text, attempt: count, call: orNull(text), tool: orNull(text) },
};
