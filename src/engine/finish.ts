/** How a node ends an attempt, well or not. */
import { isLeafStep, type Json } from '../definition/workflow.ts';
import type { ErrorRecord } from '../errors/workflow-error.ts';
import { cancelWithin } from './cancel.ts';
import { attempt, failure } from './failure.ts';
import { checkOutputs, collectWrites } from './outputs.ts';
import { bindingsFor } from './resolve.ts';
import { nextAttempt, type StepNode } from './run-state.ts';
import { emit, firstOf, type Runtime } from './runtime.ts';
import { policyFor } from './strategy.ts';
import { refuseTooLarge } from './value-size.ts';

/** Completes the node, unless an output that it declares is missing or one of its writes goes wrong. */
export function completeNode(run: Runtime, node: StepNode, given: Json): void {
  const { step, path } = node;
  const checked = attempt(path, () => {
    const isObject = given !== null && typeof given === 'object' && !Array.isArray(given);
    if (isLeafStep(step) && isObject) checkOutputs(step, given);
    refuseTooLarge('The result', given);
    const bindings = bindingsFor(run.state, run.plan, node, given);
    const writes = collectWrites(step, given, bindings, run.plan);
    refuseTooLarge('What it writes to the context', writes);
    return { result: given, writes };
  });
  if (!checked.isOk) {
    failAttempt(run, node, checked.error);
    return;
  }
  emit(run, {
    type: 'step.completed',
    path,
    ...firstOf(node),
    attempt: nextAttempt(node),
    ...checked.value,
  });
}

/** The node's attempt failed; looking at it again carries out its strategy. */
export function failAttempt(run: Runtime, node: StepNode, error: ErrorRecord): void {
  const failed = { type: 'attempt.failed', path: node.path, ...firstOf(node) } as const;
  emit(run, { ...failed, attempt: nextAttempt(node), error });
}

/** A child's failure came up: the composite's own policy meets it, if it has one, else it goes on up. */
export function failFromChild(run: Runtime, node: StepNode, child: StepNode): void {
  const message = `${child.path} failed without an error.`;
  const error = child.error ?? failure('INTERNAL', message, child.path);
  if (policyFor(run.plan, node, error) !== undefined) {
    failAttempt(run, node, error);
    return;
  }
  cancelWithin(run, node, 'sibling_failed');
  emit(run, { type: 'step.failed', path: node.path, error });
}
