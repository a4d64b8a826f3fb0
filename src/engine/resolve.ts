/** What names mean at a place of the run: which turn and which attempt of a step an id stands for. */
import type { Json, JsonObject } from '../definition/workflow.ts';
import type { ErrorRecord } from '../errors/workflow-error.ts';
import type { Bindings } from './evaluator.ts';
import { isComposite, type Plan, runsBeside } from './plan.ts';
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

/** What a node waits for: the end of a step, or, with `child`, that the step of this id comes up in it. */
export interface Blocker {
  readonly node: StepNode;
  readonly child: string | null;
}

/**
 * The step still running beside the flow that a node names and has to wait for, or null. Only steps before it in
 * document order count, so that two steps never wait for each other.
 */
export function blockerOf(state: MutableRunState, plan: Plan, node: StepNode): Blocker | null {
  for (const id of plan.referencesOf(node.step)) {
    const found = lookUp(state, plan, node, id);
    const first = found.chain[0];
    if (first === undefined) continue;
    if (first.frame.owner?.step.type === 'parallel' || !runsBeside(first.step)) continue;
    if (positionOf(plan, first) >= positionOf(plan, found.via)) continue;
    const blocker = unsettledIn(found, plan);
    if (blocker !== null) return blocker;
  }
  return null;
}

/** What the meaning of an id still hangs on. A turn or group attempt may not be the last, so the whole is waited for. */
function unsettledIn({ chain, missing }: Found, plan: Plan): Blocker | null {
  const isRepeated = ({ step }: StepNode): boolean =>
    step.type === 'loop' || (isComposite(step) && plan.ownPolicy(step.id)?.strategy === 'retry');
  const whole = chain.find((node) => !hasEnded(node) && isRepeated(node));
  const node = whole ?? chain.at(-1);
  if (node === undefined || hasEnded(node)) return null;
  return { node, child: whole === undefined ? missing : null };
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
  /** The step that has not come up yet in the last of the chain; null when the id was found. */
  readonly missing: string | null;
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
    if (node === undefined) return { chain, node: null, missing: segment, via };
    chain.push(node);
    at = node.current;
  }
  return { chain, node: chain.at(-1) ?? null, missing: null, via };
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
