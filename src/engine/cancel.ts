/** Ends what is open from outside, children before parents, so that a crash in between finds the parent still open. */
import type { CancelReason } from './events.ts';
import { hasEnded, isLeaf, nextAttempt, type StepNode } from './run-state.ts';
import { emit, firstOf, type Runtime } from './runtime.ts';

/** Cancels everything open within the node, not the node itself. */
export function cancelWithin(run: Runtime, node: StepNode, reason: CancelReason): void {
  const found: StepNode[] = [];
  const rest = openInside(node);
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    found.push(next);
    rest.push(...openInside(next));
  }
  for (const inner of found.reverse()) cancel(run, inner, reason);
}

/** Cancels every open node of the run but `except`. */
export function cancelAll(run: Runtime, reason: CancelReason, except: StepNode | null = null): void {
  for (const node of [...run.state.open].reverse()) {
    if (node !== except) cancel(run, node, reason);
  }
}

/** Cancels every open node of the normal flow, for the rollback. */
export function cancelFlow(run: Runtime): void {
  for (const node of [...run.state.open].reverse()) {
    if (node.area !== 'rollback') cancel(run, node, 'rollback');
  }
}

export function cancel(run: Runtime, node: StepNode, reason: CancelReason): void {
  const attempt = nextAttempt(node);
  const isInFlight = isLeaf(node) && node.status === 'running';
  if (isInFlight || run.schedule.isDispatched(node, attempt)) {
    run.commands.push({ type: 'cancel', path: node.path, attempt });
  }
  run.schedule.undispatch(node);
  emit(run, { type: 'step.cancelled', path: node.path, ...firstOf(node), reason });
}

function openInside(node: StepNode): StepNode[] {
  const found: StepNode[] = [];
  for (const child of node.current?.children.values() ?? []) {
    if (!hasEnded(child)) found.push(child);
  }
  if (node.handler !== null && !hasEnded(node.handler)) found.push(node.handler);
  return found;
}
