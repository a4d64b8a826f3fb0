/**
 * The two state machines of a run as tables: what each state means and which event leads where. The reducer asks
 * them for every event; a move that is not here is an IllegalTransition.
 */
import { WorkflowError } from '../errors/workflow-error.ts';
import type { EndStatus, RunEventType } from './events.ts';

export type RunStatus = 'initializing' | 'running' | 'waiting' | 'rolling_back' | 'stopping' | EndStatus;

export type NodeStatus =
  | 'pending'
  | 'running'
  | 'interrupted'
  | 'suspended'
  | 'failing'
  | 'retrying'
  | 'completed'
  | 'handled'
  | 'skipped'
  | 'failed'
  | 'cancelled';

interface StateRow<Status extends string> {
  readonly meaning: string;
  readonly on: Partial<Readonly<Record<RunEventType, Status>>>;
}

const ENDINGS = { 'run.ended': 'completed' } as const;
/** The supervisor may end it once more after a person opened it, before its process has taken it up. */
const REOPENABLE = { 'run.resumed': 'running', ...ENDINGS } as const;

/** `run.ended` leads to the status it carries, `run.resumed` to rolling_back when the run was rolling back. */
export const RUN_STATES: Readonly<Record<RunStatus, StateRow<RunStatus>>> = {
  initializing: {
    meaning: 'no event yet',
    on: { 'run.started': 'running', 'run.stopping': 'stopping', ...ENDINGS },
  },
  running: {
    meaning: 'steps are run in order',
    on: {
      'run.waiting': 'waiting',
      'run.resumed': 'running',
      'rollback.started': 'rolling_back',
      'run.stopping': 'stopping',
      ...ENDINGS,
    },
  },
  waiting: {
    meaning: 'nothing to do before a time; its process may be gone',
    on: { 'run.resumed': 'running', 'run.stopping': 'stopping', ...ENDINGS },
  },
  rolling_back: {
    meaning: 'completed steps are being undone',
    on: {
      'run.waiting': 'waiting',
      'run.resumed': 'rolling_back',
      'run.stopping': 'stopping',
      ...ENDINGS,
    },
  },
  stopping: {
    meaning: 'ends as soon as what is in flight is cancelled',
    on: { 'run.resumed': 'stopping', ...ENDINGS },
  },
  completed: { meaning: 'every step ended well', on: {} },
  failed: { meaning: 'a failure came up that nothing caught', on: REOPENABLE },
  stopped: { meaning: 'a person stopped it', on: REOPENABLE },
  killed: { meaning: 'a kill switch ended it', on: REOPENABLE },
  timed_out: { meaning: 'it ran longer than allowed', on: REOPENABLE },
  rolled_back: { meaning: 'undone after a failure', on: {} },
  rollback_failed: { meaning: 'undone after a failure, but for some steps', on: {} },
};

export const NODE_STATES: Readonly<Record<NodeStatus, StateRow<NodeStatus>>> = {
  pending: {
    meaning: 'its turn has come: waits for a slot or for a step that it names',
    on: {
      'step.started': 'running',
      'step.completed': 'completed',
      'attempt.failed': 'failing',
      'step.skipped': 'skipped',
      'step.cancelled': 'cancelled',
    },
  },
  running: {
    meaning: 'an attempt is in flight; for a composite, its steps are',
    on: {
      'step.completed': 'completed',
      'attempt.failed': 'failing',
      'step.failed': 'failed',
      'step.interrupted': 'interrupted',
      'step.suspended': 'suspended',
      'step.cancelled': 'cancelled',
      'branch.chosen': 'running',
      'turn.started': 'running',
      'turn.completed': 'running',
    },
  },
  interrupted: {
    meaning: 'its attempt died with the process; on_resume decides',
    on: {
      'step.started': 'running',
      'step.completed': 'completed',
      'attempt.failed': 'failing',
      'step.skipped': 'skipped',
      'step.cancelled': 'cancelled',
    },
  },
  suspended: {
    meaning: 'waits for a person to approve what its attempt wants to do; nothing of it runs',
    on: {
      'step.released': 'suspended',
      'step.started': 'running',
      'attempt.failed': 'failing',
      'step.cancelled': 'cancelled',
    },
  },
  failing: {
    meaning: 'an attempt failed; its strategy is carried out, a handler may run',
    on: {
      'step.retrying': 'retrying',
      'step.failed': 'failed',
      'step.skipped': 'skipped',
      'step.handled': 'handled',
      'step.cancelled': 'cancelled',
    },
  },
  retrying: {
    meaning: 'waits for the time of its next attempt',
    on: {
      'step.started': 'running',
      'step.completed': 'completed',
      'attempt.failed': 'failing',
      'step.cancelled': 'cancelled',
    },
  },
  completed: { meaning: 'done for good', on: {} },
  handled: { meaning: 'failed, and its handler succeeded', on: {} },
  skipped: { meaning: 'not done; its outputs are null', on: {} },
  failed: { meaning: 'failed; the failure is with its parent', on: {} },
  cancelled: { meaning: 'ended from outside', on: {} },
};

/** A move that the tables do not allow. `subject` is a step's path or `run`. */
export class IllegalTransition extends WorkflowError {
  readonly subject: string;
  readonly from: string;
  readonly to: string;

  constructor(subject: string, from: string, to: string, why = '') {
    const reason = why === '' ? '' : `: ${why}`;
    super('INTERNAL', `${subject}: no way from ${from} to ${to}${reason}`, {
      details: { subject, from, to },
    });
    this.name = 'IllegalTransition';
    this.subject = subject;
    this.from = from;
    this.to = to;
  }
}

/** True for a state that only `run.resumed` may leave, if anything may. */
export function isEndStatus(status: RunStatus): status is EndStatus {
  return !(
    status === 'initializing' ||
    status === 'running' ||
    status === 'waiting' ||
    status === 'rolling_back' ||
    status === 'stopping'
  );
}

/** True for a state of a step that only forgetting or reopening leaves. */
export function isNodeEnded(status: NodeStatus): boolean {
  return NODE_ENDS.has(status);
}

const NODE_ENDS: ReadonlySet<NodeStatus> = new Set([
  'completed',
  'handled',
  'skipped',
  'failed',
  'cancelled',
]);

/** The state that `event` leads a run to; `aim` is the state named when there is no such move. */
export function nextRunStatus(from: RunStatus, event: RunEventType, aim: string): RunStatus {
  const to = RUN_STATES[from].on[event];
  if (to === undefined) throw new IllegalTransition('run', from, aim);
  return to;
}

/** The state that `event` leads a step to. */
export function nextNodeStatus(path: string, from: NodeStatus, event: RunEventType): NodeStatus {
  const to = NODE_STATES[from].on[event];
  if (to === undefined) throw new IllegalTransition(path, from, aimOf(event));
  return to;
}

/** The state that an event of a step leads to, for the message of a refused move. */
export function aimOf(event: RunEventType): string {
  return NODE_AIMS[event] ?? event;
}

const NODE_AIMS: Partial<Readonly<Record<RunEventType, NodeStatus>>> = {
  'step.started': 'running',
  'step.interrupted': 'interrupted',
  'step.suspended': 'suspended',
  'step.released': 'suspended',
  'step.completed': 'completed',
  'attempt.failed': 'failing',
  'step.retrying': 'retrying',
  'step.failed': 'failed',
  'step.skipped': 'skipped',
  'step.cancelled': 'cancelled',
  'step.handled': 'handled',
  'branch.chosen': 'running',
  'turn.started': 'running',
  'turn.completed': 'running',
};
