/** Moves a run on as far as it goes without the outside. */
import { isLeafStep, type LeafStep } from '../definition/workflow.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { look } from './drive.ts';
import { lookAtRun } from './drive-run.ts';
import { attempt } from './failure.ts';
import { failAttempt } from './finish.ts';
import { fillInputs } from './inputs.ts';
import { bindingsFor, errorSeenBy } from './resolve.ts';
import { isLeaf, nextAttempt, type StepNode } from './run-state.ts';
import { emit, type Runtime } from './runtime.ts';
import { isEndStatus } from './transitions.ts';
import { refuseTooLarge } from './value-size.ts';

/** A run that has nothing to do for longer than this gives its process back. */
const LONG_WAIT_MS = 30_000;

export function pump(run: Runtime): void {
  const { state, schedule } = run;
  if (isEndStatus(state.status)) return;
  const { now } = run.surroundings;
  if (state.status === 'waiting') {
    const until = state.waitUntil ?? now;
    if (now < until) {
      run.commands.push({ type: 'wake', at: until });
      return;
    }
    emit(run, { type: 'run.resumed', cause: 'wait_over', from: null });
  }
  if (schedule.needsScan) scan(run);
  schedule.fireTimers(now);
  do settleDown(run);
  while (dispatchReady(run));
  if (!isEndStatus(run.state.status)) waitForWhatComes(run);
}

/** Every open node may have something to do; parents come before children. */
function scan(run: Runtime): void {
  const { state, schedule } = run;
  schedule.clear();
  schedule.isRunDirty = true;
  schedule.needsScan = false;
  for (const node of state.open) schedule.look(node);
}

/** Looks at what changed until nothing does. The run comes first: its end and its rollback overrule its steps. */
function settleDown(run: Runtime): void {
  const { state, schedule } = run;
  for (;;) {
    if (isEndStatus(state.status)) return;
    if (schedule.isRunDirty) {
      schedule.isRunDirty = false;
      lookAtRun(run);
      continue;
    }
    const node = schedule.takeDirty();
    if (node === undefined) return;
    look(run, node);
  }
}

/** Hands leaves to the driver while there are slots; true when one failed at its inputs, so that there is more to do. */
function dispatchReady(run: Runtime): boolean {
  const { state, schedule, plan } = run;
  const slots = plan.workflow.limits.maxConcurrentSteps;
  let hasFailed = false;
  while (!isEndStatus(state.status) && state.runningLeaves + schedule.dispatchedCount < slots) {
    const node = schedule.takeReady((at) => plan.placeOf(at.step.id)?.position ?? 0);
    if (node === undefined) break;
    if (!isLeafStep(node.step)) continue;
    hasFailed = !dispatch(run, node, node.step) || hasFailed;
  }
  return hasFailed;
}

/** False when the inputs could not be filled in: the attempt has failed. */
function dispatch(run: Runtime, node: StepNode, step: LeafStep): boolean {
  const { state, plan } = run;
  const { path } = node;
  const filled = attempt(path, () => {
    // A suspended attempt goes on with what was approved, whatever became of the context since.
    if (node.status === 'suspended' && node.inputs !== null) return node.inputs;
    const inputs = fillInputs(step.inputs, bindingsFor(state, plan, node), plan);
    refuseTooLarge('What its inputs hold', inputs);
    return inputs;
  });
  if (!filled.isOk) {
    failAttempt(run, node, filled.error);
    return false;
  }
  const number = nextAttempt(node);
  run.schedule.dispatch(node, number);
  const error = errorSeenBy(state, node);
  run.commands.push({ type: 'run', path, step, attempt: number, inputs: filled.value, key: path, error });
  return true;
}

function waitForWhatComes(run: Runtime): void {
  const { state, schedule } = run;
  const at = schedule.nextTimerAt();
  const isBusy = state.runningLeaves + schedule.dispatchedCount > 0;
  if (at !== null) {
    // A person takes their time, and waiting for one is no working time of the run.
    const isLong = at - run.surroundings.now > LONG_WAIT_MS || [...state.open].some(isSuspended);
    if (!isBusy && isLong) emit(run, { type: 'run.waiting', until: at });
    run.commands.push({ type: 'wake', at });
  } else if (!isBusy) {
    const open = [...state.open].filter((node) => isLeaf(node)).map((node) => `${node.path} ${node.status}`);
    const message = `The run has nothing to do and has not ended; open: ${open.slice(0, 10).join(', ') || 'none'}.`;
    throw new WorkflowError('INTERNAL', message);
  }
}

function isSuspended({ status, dueAt }: StepNode): boolean {
  return status === 'suspended' && dueAt !== 0;
}
