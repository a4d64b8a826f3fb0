/** The part of the reducer that takes a run up again after its end: forgets steps, opens others. */
import { lastId } from './paths.ts';
import { countEnd } from './reduce-step.ts';
import {
  type Frame,
  hasEnded,
  isFrameDone,
  isLeaf,
  isOfLatestAttempt,
  type MutableRunState,
  type StepNode,
} from './run-state.ts';
import { IllegalTransition } from './transitions.ts';

/** Paths as in `run.resumed`. Context values that forgotten steps wrote stay as they are. */
export function reopen(
  state: MutableRunState,
  forgotten: readonly string[],
  reopened: readonly string[],
): void {
  if (forgotten.length === 0 && reopened.length === 0) return;
  const touched = new Set<Frame>();
  for (const path of forgotten) forget(state, path, touched);
  for (const path of reopened) {
    const node = state.nodes.get(path);
    if (node === undefined || !hasEnded(node)) {
      throw new IllegalTransition(path, node?.status ?? 'absent', 'pending', 'only what ended is reopened');
    }
    open(state, node, [...forgotten, ...reopened]);
    touched.add(node.frame);
  }
  for (const frame of touched) recount(frame);
}

function forget(state: MutableRunState, path: string, touched: Set<Frame>): void {
  const frame = state.frames.get(`${path}/`);
  const node = state.nodes.get(path);
  if (node === undefined) {
    if (frame?.owner != null) forgetTurn(state, frame.owner, frame);
    return;
  }
  state.nodes.delete(path);
  state.open.delete(node);
  if (isLeaf(node) && node.status === 'running') state.runningLeaves -= 1;
  for (const inner of node.frames) state.frames.delete(inner.prefix);
  const { host } = node;
  if (host?.handler === node) host.handler = null;
  if (host?.undo === node) host.undo = null;
  if (node.relation !== 'child') return;
  node.frame.children.delete(lastId(path));
  touched.add(node.frame);
}

/** Turns are forgotten from the last one back; `frames` of other attempts stay. */
function forgetTurn(state: MutableRunState, loop: StepNode, turn: Frame): void {
  state.frames.delete(turn.prefix);
  const index = loop.frames.indexOf(turn);
  if (index >= 0) loop.frames.splice(index, 1);
  if (loop.current === turn) loop.current = loop.frames.at(-1) ?? null;
}

/**
 * A composite goes on in the frame it was in, or begins the retry that it waited for; a leaf, or a composite that
 * never began, starts anew.
 */
function open(state: MutableRunState, node: StepNode, paths: readonly string[]): void {
  const waitsForRetry = waitedForRetry(node, paths);
  const goesOn = !isLeaf(node) && node.frames.length > 0;
  const hasBegun = !isLeaf(node) && node.attempt > 0 && node.dueAt === null;
  if (waitsForRetry) node.status = 'retrying';
  else node.status = goesOn || hasBegun ? 'running' : 'pending';
  if (goesOn) node.current ??= node.frames.at(-1) ?? null;
  node.attemptBase = node.status === 'pending' ? node.attempt : node.attempt - 1;
  node.error = null;
  node.result = null;
  node.dueAt = waitsForRetry ? 0 : null;
  state.open.delete(node);
  state.open.add(node);
}

/**
 * True for a composite that was cancelled before its retry had a frame. Journals of older versions took it up in the
 * attempt before: one with a step of that among the paths goes on there.
 */
function waitedForRetry(node: StepNode, paths: readonly string[]): boolean {
  const frame = node.frames.at(-1);
  if (frame === undefined || isOfLatestAttempt(node, frame)) return false;
  return !paths.some((path) => path.startsWith(frame.prefix));
}

function recount(frame: Frame): void {
  frame.ended = 0;
  frame.failed = null;
  frame.winner = null;
  frame.cursor = 0;
  for (const node of frame.children.values()) {
    if (hasEnded(node)) countEnd(frame, node);
  }
  frame.isClosed &&= isFrameDone(frame);
}
