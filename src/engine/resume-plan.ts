/** Works out, for a run that ended, what `resume` reopens and what `--from` forgets. Changes nothing. */
import type { Workflow } from '../definition/workflow.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import type { RunEvent } from './events.ts';
import { planOf, replay } from './replay.ts';
import { type Frame, isLeaf, isOfLatestAttempt, type MutableRunState, type StepNode } from './run-state.ts';

export interface ResumePlan {
  readonly forgotten: readonly string[];
  /** Parents before children. */
  readonly reopened: readonly string[];
}

/**
 * Failed and cancelled steps open again with the composites around them; with `from`, that step and all after it in
 * its sequence, and after each composite around it, are forgotten. A run that was rolling back goes on with that.
 * Throws STEP_NOT_FOUND when `from` names no step of the flow's latest turns and attempts.
 */
export function planResume(state: MutableRunState, from: string | null): ResumePlan {
  const forgotten: string[] = [];
  const around = from === null ? [] : forgetFrom(state, from, forgotten);
  const isGone = new Set(forgotten);
  const reopened = around.filter((node) => !state.open.has(node)).map((node) => node.path);
  const seen = new Set<StepNode>(around);
  const rest = rootsOf(state).reverse();
  for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
    if (isGone.has(node.path)) continue;
    const isBroken = node.status === 'failed' || node.status === 'cancelled';
    if (!isBroken && !state.open.has(node) && !seen.has(node)) continue;
    if (isBroken && !seen.has(node)) reopened.push(node.path);
    if (isBroken && node.handler !== null) forgotten.push(...subtree(node.handler));
    const frame = isLeaf(node) ? null : goesOnIn(node, isGone);
    rest.push(...[...(frame?.children.values() ?? [])].reverse());
  }
  return { forgotten, reopened };
}

/** The same question about a run whose process is to be started for it: there it would be too late to refuse. */
export function assertResumesFrom(workflow: Workflow, journal: readonly RunEvent[], from: string): void {
  planResume(replay(planOf(workflow), journal), from);
}

/** Where a run can go on: its flow, or what was left of its rollback. */
function rootsOf(state: MutableRunState): StepNode[] {
  if (state.rollback === null) return [...state.root.children.values()];
  const undos = [...state.nodes.values()].flatMap((node) => node.undo ?? []);
  const isCancelled = (node: StepNode): boolean => node.status === 'cancelled';
  return [...undos, ...state.rollback.frame.children.values()].filter(isCancelled);
}

/**
 * The latest frame of the composite that is not forgotten; undefined when its latest attempt is over, or has none:
 * what is in an older one stays as it is, since the retry does all of it again.
 */
function goesOnIn(node: StepNode, isGone: ReadonlySet<string>): Frame | undefined {
  if (isAttemptOver(node)) return undefined;
  return node.frames.findLast(
    (frame) => isOfLatestAttempt(node, frame) && !isGone.has(frame.prefix.slice(0, -1)),
  );
}

/** True while its retry is waited for, or its strategy is carried out. */
function isAttemptOver({ status }: StepNode): boolean {
  return status === 'retrying' || status === 'failing';
}

/** Fills `forgotten` and gives the composites around the step, outermost first. */
function forgetFrom(state: MutableRunState, from: string, forgotten: string[]): StepNode[] {
  const start = state.nodes.get(from);
  if (start?.relation !== 'child' || start.area !== 'flow' || state.rollback !== null || start.order === 0) {
    throw new WorkflowError('STEP_NOT_FOUND', `${from} is no step of this run that can be run again from.`);
  }
  if (start.frame.untaken.includes(start.step)) throw notTaken(start);
  const around: StepNode[] = [];
  let frame: Frame = start.frame;
  forgetAfter(frame, start, 'itself too', forgotten);
  for (let owner = frame.owner; owner !== null; owner = frame.owner) {
    refuseOlderAttempt(owner, frame, from);
    for (const turn of owner.frames.slice(owner.frames.indexOf(frame) + 1).reverse()) {
      for (const node of turn.children.values()) forgotten.push(...subtree(node));
      forgotten.push(turn.prefix.slice(0, -1));
    }
    if (owner.handler !== null) forgotten.push(...subtree(owner.handler));
    around.unshift(owner);
    frame = owner.frame;
    forgetAfter(frame, owner, 'only later ones', forgotten);
  }
  return around;
}

function forgetAfter(
  frame: Frame,
  node: StepNode,
  scope: 'itself too' | 'only later ones',
  forgotten: string[],
): void {
  if (scope === 'itself too') forgotten.push(...subtree(node));
  if (frame.owner?.step.type === 'parallel') return;
  const index = frame.steps.indexOf(node.step);
  for (const step of frame.steps.slice(index + 1)) {
    const later = frame.children.get(step.id);
    if (later !== undefined) forgotten.push(...subtree(later));
  }
}

function notTaken({ path, frame }: StepNode): WorkflowError {
  const owner = frame.owner?.path ?? '';
  return new WorkflowError('STEP_NOT_FOUND', `${path} is in the branch of ${owner} that was not taken.`, {
    hint: `Resume from ${owner} to have its condition decided anew.`,
  });
}

/** A later turn of the same attempt can be forgotten; an attempt that was given up is history. */
function refuseOlderAttempt(owner: StepNode, frame: Frame, from: string): void {
  const later = owner.frames.slice(owner.frames.indexOf(frame) + 1);
  const isTurn =
    owner.step.type === 'loop' && later.every((turn) => (turn.iteration ?? 0) > (frame.iteration ?? 0));
  const isGivenUp = isAttemptOver(owner) || !isOfLatestAttempt(owner, frame);
  if (!isGivenUp && (later.length === 0 || isTurn)) return;
  throw new WorkflowError(
    'STEP_NOT_FOUND',
    `${from} belongs to an attempt of ${owner.path} that was given up.`,
  );
}

/** The node and all that is in it, of every turn and attempt, with handlers. */
function subtree(node: StepNode): string[] {
  const paths: string[] = [];
  const rest = [node];
  for (let at = rest.pop(); at !== undefined; at = rest.pop()) {
    paths.push(at.path);
    if (at.handler !== null) rest.push(at.handler);
    for (const frame of at.frames) rest.push(...frame.children.values());
  }
  return paths;
}
