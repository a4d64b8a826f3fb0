/** What names mean at a place of the run: which turn and which attempt of a step an id stands for. */
import type { Json, JsonObject } from '../definition/workflow.ts';
import type { ErrorRecord } from '../errors/workflow-error.ts';
import type { Bindings } from './evaluator.ts';
import { type Plan, runsBeside } from './plan.ts';
import { containerOf, type Frame, hasEnded, type MutableRunState, type StepNode } from './run-state.ts';

/** Bindings for the inputs, condition and expressions of a node. `own` is its result, visible under its own id. */
export function bindingsFor(state: MutableRunState, plan: Plan, node: StepNode, own?: Json): Bindings {
  return {
    iteration: node.frame.iteration,
    mutable: state.context.mutable,
    readonly: state.context.readonly,
    inputs: state.inputs,
    error: errorSeenBy(state, node),
    steps: (id) => {
      if (own !== undefined && id === node.step.id) return own;
      if (plan.placeOf(id) === undefined) return undefined;
      return lookUp(state, plan, node, id).node?.result ?? null;
    },
  };
}

/**
 * The step still running beside the flow that a node names and has to wait for, or null. Only steps before it in
 * document order count, so that two steps never wait for each other.
 */
export function blockerOf(state: MutableRunState, plan: Plan, node: StepNode): StepNode | null {
  for (const id of plan.referencesOf(node.step)) {
    const { chain, via } = lookUp(state, plan, node, id);
    const first = chain[0];
    const last = chain.at(-1);
    if (first === undefined || last === undefined || hasEnded(last)) continue;
    if (first.frame.owner?.step.type === 'parallel' || !runsBeside(first.step)) continue;
    if (positionOf(plan, first) < positionOf(plan, via)) return last;
  }
  return null;
}

/** What `error` is for a node: that of the step which the handler around it serves, or that of the rollback. */
export function errorSeenBy(state: MutableRunState, node: StepNode): JsonObject | null {
  if (node.area === 'flow') return null;
  for (let at: StepNode | null = node; at !== null; at = containerOf(at)) {
    if (at.relation !== 'handler' || at.host === null) continue;
    return describe(at.host.error, at.host.attempt - at.host.attemptBase);
  }
  return state.rollback === null ? null : describe(state.rollback.error, 1);
}

function describe(error: ErrorRecord | null, attempts: number): JsonObject | null {
  if (error === null) return null;
  return { code: error.code, message: error.message, step: error.step ?? null, attempts };
}

function positionOf(plan: Plan, node: StepNode): number {
  return plan.placeOf(node.step.id)?.position ?? Number.POSITIVE_INFINITY;
}

interface Found {
  /** The nodes met on the way in, outermost first. */
  readonly chain: readonly StepNode[];
  /** What the id stands for; null when it never ran. */
  readonly node: StepNode | null;
  /** The sibling of the chain's first node that `from` is, or is within. */
  readonly via: StepNode;
}

/**
 * Goes from `from` outwards to the nearest frame that holds the id or a composite around it, then inwards through
 * the latest attempt and turn of each.
 */
function lookUp(state: MutableRunState, plan: Plan, from: StepNode, id: string): Found {
  const route = [...(plan.placeOf(id)?.ancestors ?? []), id];
  let via = served(from);
  let frame = via.frame;
  let depth = depthWithin(plan, frame, route);
  while (depth === null && frame.owner !== null) {
    via = served(frame.owner);
    frame = via.frame;
    depth = depthWithin(plan, frame, route);
  }
  if (frame.area === 'rollback' && frame.owner === null && !frame.children.has(id)) frame = state.root;
  const chain: StepNode[] = [];
  let at: Frame | null = frame;
  for (const segment of route.slice(depth ?? 0)) {
    const node: StepNode | undefined = at?.children.get(segment);
    if (node === undefined) return { chain, node: null, via };
    chain.push(node);
    at = node.current;
  }
  return { chain, node: chain.at(-1) ?? null, via };
}

/** The step whose place a handler or undo step has taken. */
function served(node: StepNode): StepNode {
  let at = node;
  while (at.host !== null) at = at.host;
  return at;
}

/** How much of the route to the id lies outside the frame; null when the frame is not on the route. */
function depthWithin(plan: Plan, frame: Frame, route: readonly string[]): number | null {
  if (frame.owner === null) return 0;
  const ownerId = frame.owner.step.id;
  const depth = plan.placeOf(ownerId)?.ancestors.length ?? 0;
  return route[depth] === ownerId && depth + 1 < route.length ? depth + 1 : null;
}
