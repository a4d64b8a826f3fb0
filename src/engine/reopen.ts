/** The part of the reducer that takes a run up again after its end: forgets steps, opens others. */
import { lastId } from './paths.ts';
import { countEnd } from './reduce-step.ts';
import {
  type Frame,
  hasEnded,
  isFrameDone,
  isLeaf,
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
    open(state, node);
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

/** A composite goes on in the frame it was in; a leaf, or a composite that never began, starts anew. */
function open(state: MutableRunState, node: StepNode): void {
  const goesOn = !isLeaf(node) && node.frames.length > 0;
  const hasBegun = !isLeaf(node) && node.attempt > 0 && node.dueAt === null;
  node.status = goesOn || hasBegun ? 'running' : 'pending';
  if (goesOn) node.current ??= node.frames.at(-1) ?? null;
  node.attemptBase = node.status === 'running' ? node.attempt - 1 : node.attempt;
  node.error = null;
  node.result = null;
  node.dueAt = null;
  state.open.delete(node);
  state.open.add(node);
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
