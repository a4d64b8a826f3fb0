/** Finds the node that a path names, and makes it when this is the first that is heard of it. */
import type { HandlerRef, Step } from '../definition/workflow.ts';
import { splitPath, UNDO } from './paths.ts';
import { type Plan, policyHandlerOf } from './plan.ts';
import type { Area, Frame, MutableRunState, StepNode } from './run-state.ts';
import { IllegalTransition } from './transitions.ts';

/** Throws IllegalTransition when the run has no place for such a step now. */
export function locate(state: MutableRunState, plan: Plan, path: string): StepNode {
  const known = state.nodes.get(path);
  if (known !== undefined) return known;
  const parts = splitPath(path);
  if (parts.kind === 'service') {
    const host = state.nodes.get(parts.host);
    if (host === undefined) throw unknown(path, `there is no step ${parts.host}`);
    if (parts.name === UNDO && host.step.undo !== null && state.rollback !== null) {
      return createUndo(state, host, host.step.undo.step);
    }
    const ref = policyHandlerOf(plan, host.step.id, parts.name);
    if (ref === undefined) throw unknown(path, `${parts.host} has no handler ${parts.name}`);
    return createHandler(state, host, ref);
  }
  const frame = state.frames.get(parts.prefix);
  const step = frame === undefined ? undefined : stepIn(frame, parts.id);
  if (frame === undefined || step === undefined) throw unknown(path, 'nothing is open there');
  return createChild(state, frame, step);
}

/** The node of a step of the frame: new and pending, or the one that is there. */
export function createChild(state: MutableRunState, frame: Frame, step: Step): StepNode {
  const known = frame.children.get(step.id);
  if (known !== undefined) return known;
  const node = createNode(state, {
    path: `${frame.prefix}${step.id}`,
    step,
    frame,
    host: null,
    relation: 'child',
    area: frame.area,
  });
  frame.children.set(step.id, node);
  return node;
}

/** The node of the handler that deals with the failure of `host`. */
export function createHandler(state: MutableRunState, host: StepNode, ref: HandlerRef): StepNode {
  host.handler ??= createNode(state, {
    path: `${host.path}!${ref.id}`,
    step: ref.step,
    frame: host.frame,
    host,
    relation: 'handler',
    area: host.area === 'rollback' ? 'rollback' : 'handler',
  });
  return host.handler;
}

/** The node of the undo step of `host`. */
export function createUndo(state: MutableRunState, host: StepNode, step: Step): StepNode {
  host.undo ??= createNode(state, {
    path: `${host.path}!${UNDO}`,
    step,
    frame: host.frame,
    host,
    relation: 'undo',
    area: 'rollback',
  });
  return host.undo;
}

interface NodeParts {
  readonly path: string;
  readonly step: Step;
  readonly frame: Frame;
  readonly host: StepNode | null;
  readonly relation: StepNode['relation'];
  readonly area: Area;
}

function createNode(state: MutableRunState, parts: NodeParts): StepNode {
  const node: StepNode = {
    ...parts,
    status: 'pending',
    attempt: 0,
    attemptBase: 0,
    dueAt: null,
    inputs: null,
    approvals: [],
    order: 0,
    result: null,
    error: null,
    current: null,
    frames: [],
    handler: null,
    undo: null,
  };
  state.nodes.set(parts.path, node);
  state.open.add(node);
  return node;
}

/** Looked up by a scan: used in replay only, where steps of a sequence come about in order, from the cursor on. */
function stepIn(frame: Frame, id: string): Step | undefined {
  const index = frame.children.size;
  if (frame.steps[index]?.id === id) return frame.steps[index];
  return frame.steps.find((step) => step.id === id) ?? frame.untaken.find((step) => step.id === id);
}

function unknown(path: string, why: string): IllegalTransition {
  return new IllegalTransition(path, 'absent', 'pending', why);
}
