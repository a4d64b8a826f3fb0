/**
 * Whether a run that ended can go on with another definition: what it has done must read the same there. Pure: from the
 * two definitions and the journal.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ErrorPolicy, JsonObject, Step, Workflow } from '../definition/workflow.ts';
import { ensureError } from '../errors/workflow-error.ts';
import { compareStep, differences } from './compare-step.ts';
import type { ContextValues, RunEvent } from './events.ts';
import { isWithin } from './paths.ts';
import { type Plan, policyHandlerOf } from './plan.ts';
import { compareValues } from './redefine-values.ts';
import { planOf, replay } from './replay.ts';
import { planResume } from './resume-plan.ts';
import { type Frame, hasEnded, isLeaf, type StepNode } from './run-state.ts';
import { IllegalTransition } from './transitions.ts';

/** One reason against the new definition: at the path of a step, or at a place of the file. */
export interface Mismatch {
  readonly path: string;
  readonly message: string;
}

export interface Redefinition {
  readonly before: Workflow;
  readonly after: Workflow;
  readonly journal: readonly RunEvent[];
  /** What the run began with; it keeps them. */
  readonly inputs: JsonObject;
  readonly context: ContextValues;
  /** As in `resume`: what is forgotten by it need not match. */
  readonly from: string | null;
}

/**
 * Everything that stands against going on with `after`; empty when the run can. What has completed, was skipped or
 * handled must be the same step at the same place, with the same steps before it; what has begun must be there as the
 * same kind of step, what decided about it (a condition that was evaluated, `wait_for`) unchanged. All the rest is free.
 * Throws STEP_NOT_FOUND when `from` cannot be run again from.
 */
export function compareDefinitions(change: Redefinition): Mismatch[] {
  const { before, journal, from } = change;
  // As pins are kept: what is undefined there is absent.
  const after = JSON.parse(JSON.stringify(change.after)) as Workflow;
  const found: Mismatch[] = compareValues(after, change);
  const old = planOf(before);
  const state = replay(old, journal);
  const isOver = state.reason !== null;
  const gone = new Set(isOver ? planResume(state, from).forgotten : []);
  if (state.rollback !== null) {
    if (isDeepStrictEqual(before, after)) return found;
    return [{ path: state.rollback.step, message: 'the run is rolling back since this step failed' }];
  }
  const view: View = { old, new: planOf(after), gone, found };
  compareFrame(view, state.root, { taken: view.new.flow, other: [] });
  if (found.length === 0 && journal.length > 0) tryReplay(view, journal, isOver ? from : null);
  return found;
}

interface View {
  readonly old: Plan;
  readonly new: Plan;
  /** Paths that are forgotten when the run goes on. */
  readonly gone: ReadonlySet<string>;
  readonly found: Mismatch[];
}

/** Steps of the new definition that stand where a frame is. */
interface Places {
  readonly taken: readonly Step[];
  /** Of the conditional's other branch. */
  readonly other: readonly Step[];
}

/** The proof: the new definition takes the journal, what is resumed is found, and all is forgotten that is to be. */
function tryReplay(view: View, journal: readonly RunEvent[], from: string | null): void {
  try {
    const state = replay(view.new, journal);
    if (state.reason === null) return;
    const forgotten = new Set(planResume(state, from).forgotten);
    for (const path of view.gone) {
      const isNoted = view.found.some((known) => isWithin(path, known.path));
      if (forgotten.has(path) || isNoted) continue;
      note(view, path, `is to be forgotten, and stands before ${from} in the new definition`);
    }
  } catch (error) {
    const isOfStep = error instanceof IllegalTransition && error.subject !== 'run';
    note(view, isOfStep ? error.subject : '$', `its journal does not fit: ${ensureError(error).message}`);
  }
}

function compareFrame(view: View, frame: Frame, places: Places): void {
  const count = view.found.length;
  const kept: StepNode[] = [];
  for (const node of frame.children.values()) {
    // What only stands in the queue has no event yet.
    if (node.order === 0) continue;
    const isGone = view.gone.has(node.path);
    if (!isGone) kept.push(node);
    const step = findStep(view, node, places);
    if (step === undefined) continue;
    if (isGone) compareForgotten(view, node, step);
    else compareNode(view, node, step);
  }
  if (view.found.length > count || frame.owner?.step.type === 'parallel') return;
  compareOrder(view, frame, kept.filter(isSettled), places.taken);
}

/** The same step in the new definition, in the same branch: in the other one it would never, or again, run. */
function findStep(view: View, node: StepNode, { taken, other }: Places): Step | undefined {
  const isUntaken = node.frame.untaken.includes(node.step);
  const step = (isUntaken ? other : taken).find(({ id }) => id === node.step.id);
  if (step !== undefined) return step;
  const isMoved = (isUntaken ? taken : other).some(({ id }) => id === node.step.id);
  const where = isMoved ? 'is in the other branch of' : 'is not there in';
  note(view, node.path, `${stateOf(view, node)}, and ${where} the new definition`);
  return undefined;
}

/** What is forgotten may differ, but its events are still read: whatever had one must have its place. */
function compareForgotten(view: View, node: StepNode, step: Step): void {
  compareHandler(view, node);
  if (node.frames.length === 0) return;
  if (node.step.type !== step.type) noteType(view, node, step);
  else for (const frame of node.frames) compareFrame(view, frame, placesIn(step, frame, false));
}

/** Of a sequence, everything up to the last step that is done is as it was; of a turn that is over, everything. */
function compareOrder(view: View, frame: Frame, settled: readonly StepNode[], taken: readonly Step[]): void {
  const before = frame.steps.map(({ id }) => id);
  const after = taken.map(({ id }) => id);
  const last = Math.max(-1, ...settled.map(({ step }) => before.indexOf(step.id)));
  const length = frame.isClosed ? Math.max(before.length, after.length) : last + 1;
  const at = Array.from({ length }, (_, index) => index).find((index) => before[index] !== after[index]);
  if (at === undefined) return;
  const [was = 'the end', is = 'the end'] = [before[at], after[at]];
  const where = frame.isClosed ? `turn ${frame.iteration} is over` : `${before[last]} is done`;
  note(
    view,
    `${frame.prefix}${before[at] ?? after[at]}`,
    `${where}, and at this place, where ${was} was, is ${is} now`,
  );
}

function compareNode(view: View, node: StepNode, step: Step): void {
  if (isSettled(node)) {
    const found = compareStep(node.step, step, node.path);
    for (const { path, message } of found)
      note(
        view,
        path,
        `${path === node.path ? '' : `is in ${node.path}, which `}${stateOf(view, node)}, and ${message}`,
      );
    comparePolicy(view, node);
    // It was compared with all that is in it.
    if (found.length > 0) return;
  } else if (node.step.type !== step.type) noteType(view, node, step);
  else {
    compareDecided(view, node, step);
    compareHandler(view, node);
  }
  if (isLeaf(node) || node.step.type !== step.type) return;
  for (const frame of node.frames) compareFrame(view, frame, placesIn(step, frame, isSettled(node)));
}

function noteType(view: View, node: StepNode, step: Step): void {
  note(
    view,
    node.path,
    `${stateOf(view, node)} as ${node.step.type}, and is ${step.type} in the new definition`,
  );
}

/** What was evaluated for a composite that goes on; who has spoken in a conversation that does. */
function compareDecided(view: View, node: StepNode, step: Step): void {
  const { step: old } = node;
  if (old.type === 'agent' && step.type === 'agent' && node.attempt > 0 && old.agent !== step.agent)
    note(view, node.path, 'has begun, and its agent differs: another one begins anew with --from this step');
  if (node.frames.length === 0) return;
  if (old.type === 'parallel' && step.type === 'parallel' && old.waitFor !== step.waitFor)
    note(view, node.path, 'has begun, and its wait_for differs');
  const hadCondition = old.type === 'conditional' || old.type === 'loop';
  if (
    hadCondition &&
    (step.type === 'conditional' || step.type === 'loop') &&
    old.condition !== step.condition
  )
    note(view, node.path, 'its condition has been evaluated, and differs');
}

/** What was done about a failure stays: it must be what the new definition says too. */
function comparePolicy(view: View, node: StepNode): void {
  const isByPolicy = node.status === 'handled' || (node.status === 'skipped' && node.error !== null);
  if (!isByPolicy) return;
  const keys = differences(policyOf(view.old, node), policyOf(view.new, node));
  if (keys.length > 0)
    note(view, node.path, `${stateOf(view, node)}, and its error handling differs: ${keys.join(', ')}`);
}

function compareHandler(view: View, { handler, step, path }: StepNode): void {
  if (handler === null || handler.order === 0) return;
  const ref = policyHandlerOf(view.new, step.id, handler.path.slice(path.length + 1));
  if (ref === undefined)
    note(view, handler.path, `${stateOf(view, handler)}, and is no handler in the new definition`);
  else if (view.gone.has(handler.path)) compareForgotten(view, handler, ref.step);
  else compareNode(view, handler, ref.step);
}

function placesIn(step: Step, frame: Frame, isOver: boolean): Places {
  if (step.type === 'conditional' && frame.branch !== null)
    return { taken: step[frame.branch], other: step[frame.branch === 'then' ? 'else' : 'then'] };
  // What is compared as a whole needs no second word about its order.
  if (isOver && step.type !== 'parallel' && step.type !== 'loop')
    return { taken: frame.steps, other: frame.untaken };
  return { taken: step.type === 'parallel' || step.type === 'loop' ? step.steps : [], other: [] };
}

function policyOf(plan: Plan, { step }: StepNode): ErrorPolicy {
  return plan.ownPolicy(step.id) ?? plan.workflow.errorHandling.default;
}

/** Ended and not to be run again. */
function isSettled(node: StepNode): boolean {
  return hasEnded(node) && node.status !== 'failed' && node.status !== 'cancelled';
}

function stateOf({ gone }: View, node: StepNode): string {
  if (gone.has(node.path)) return 'has run (its events stay though it is forgotten)';
  switch (node.status) {
    case 'completed':
      return 'has completed';
    case 'handled':
    case 'skipped':
      return `was ${node.status}`;
    default:
      return 'has begun';
  }
}

/** One word about a place is enough. */
function note({ found }: View, path: string, message: string): void {
  if (!found.some((known) => known.path === path)) found.push({ path, message });
}
