/**
 * The state of a run: what its journal says, and nothing else. Only the reducer changes it, with two exceptions that
 * replay brings back by itself: pending nodes without an event, and the cursor of a frame.
 */
import { isLeafStep, type Json, type JsonObject, type Step } from '../definition/workflow.ts';
import type { ErrorRecord } from '../errors/workflow-error.ts';
import type { ContextValues, StopKind } from './events.ts';
import { framePrefix } from './paths.ts';
import { isNodeEnded, type NodeStatus, type RunStatus } from './transitions.ts';

/** One step at one place of the run: the same step in another turn or group attempt is another node. */
export interface StepNode {
  readonly path: string;
  readonly step: Step;
  /** The scope it runs in and sees; a handler or undo step shares that of the step it serves. */
  readonly frame: Frame;
  /** The step that this one is the handler or undo of. */
  readonly host: StepNode | null;
  readonly relation: 'child' | 'handler' | 'undo';
  readonly area: Area;
  status: NodeStatus;
  /** The latest attempt that an event named; 0 before any. */
  attempt: number;
  /** Attempts before the run was reopened: they don't count for the retry policy. */
  attemptBase: number;
  /** When the next attempt is due, or a suspended one goes on at the latest (UTC ms). */
  dueAt: number | null;
  /** Leaves: those of the attempt that has begun and has not ended. A suspended attempt goes on with them. */
  inputs: JsonObject | null;
  /** What a suspended attempt waits for. */
  approvals: readonly number[];
  /** 1, 2, 3 … in order of first start, over the whole run; 0 = no event yet. */
  order: number;
  result: Json;
  error: ErrorRecord | null;
  /** Composites: the frame of the attempt (and turn) now; all frames ever, oldest first. */
  current: Frame | null;
  readonly frames: Frame[];
  handler: StepNode | null;
  undo: StepNode | null;
}

/** Where a node belongs: rollback covers undo steps and the steps of `rollback`. */
export type Area = 'flow' | 'handler' | 'rollback';

/** A scope in which steps run: the top, a branch, one turn, one attempt of a parallel group. */
export interface Frame {
  /** What the paths of its steps begin with, e.g. `loop[2]/`; empty at the top. */
  readonly prefix: string;
  readonly owner: StepNode | null;
  readonly area: Area;
  readonly steps: readonly Step[];
  /** Steps of the conditional's other branch: skipped, never run. */
  readonly untaken: readonly Step[];
  readonly branch: 'then' | 'else' | null;
  /** The index of the turn around its steps, from 0. */
  readonly iteration: number | null;
  readonly children: Map<string, StepNode>;
  ended: number;
  failed: StepNode | null;
  winner: StepNode | null;
  /** The turn that this frame is has ended. */
  isClosed: boolean;
  /** All steps before this index were taken up and need no more waiting. A cache. */
  cursor: number;
}

export interface Rollback {
  readonly step: string;
  readonly error: ErrorRecord;
  readonly frame: Frame;
}

/** What others may read of a run. */
export interface RunState {
  readonly status: RunStatus;
  readonly inputs: JsonObject;
  /** Values now; after the end the final ones. */
  readonly context: ContextValues;
  readonly nodes: ReadonlyMap<string, Readonly<StepNode>>;
  readonly error: ErrorRecord | null;
  readonly reason: string | null;
}

export interface MutableRunState extends RunState {
  status: RunStatus;
  inputs: JsonObject;
  context: { readonly readonly: JsonObject; readonly mutable: JsonObject };
  readonly nodes: Map<string, StepNode>;
  readonly frames: Map<string, Frame>;
  readonly root: Frame;
  /** Whether `run.started` was there: a run may be ended before. */
  hasStarted: boolean;
  /** Nodes that have not ended, parents before their children. */
  readonly open: Set<StepNode>;
  /** Leaf attempts begun and not settled. */
  runningLeaves: number;
  starts: number;
  rollback: Rollback | null;
  /** Until when it waits (UTC ms). */
  waitUntil: number | null;
  stopping: { readonly kind: StopKind; readonly by: string } | null;
  error: ErrorRecord | null;
  reason: string | null;
}

/** The state before the first event. */
export function createRunState(steps: readonly Step[]): MutableRunState {
  const root = createFrame({ prefix: '', owner: null, area: 'flow', steps, iteration: null });
  return {
    status: 'initializing',
    inputs: {},
    context: { readonly: {}, mutable: {} },
    nodes: new Map(),
    frames: new Map([['', root]]),
    root,
    hasStarted: false,
    open: new Set(),
    runningLeaves: 0,
    starts: 0,
    rollback: null,
    waitUntil: null,
    stopping: null,
    error: null,
    reason: null,
  };
}

type FrameParts = Pick<Frame, 'prefix' | 'owner' | 'area' | 'steps' | 'iteration'> &
  Partial<Pick<Frame, 'untaken' | 'branch'>>;

/** An empty frame. */
export function createFrame(parts: FrameParts): Frame {
  return {
    untaken: [],
    branch: null,
    ...parts,
    children: new Map(),
    ended: 0,
    failed: null,
    winner: null,
    isClosed: false,
    cursor: 0,
  };
}

export function isLeaf(node: StepNode): boolean {
  return isLeafStep(node.step);
}

export function hasEnded(node: StepNode): boolean {
  return isNodeEnded(node.status);
}

/** True when every step of the frame, taken or not, has ended. */
export function isFrameDone(frame: Frame): boolean {
  return frame.ended === frame.steps.length + frame.untaken.length;
}

/** The node whose progress depends on this one; null = the run itself. */
export function containerOf(node: StepNode): StepNode | null {
  if (node.relation === 'undo') return null;
  return node.host ?? node.frame.owner;
}

/** True for a frame of the composite's latest attempt: one that is only announced, to be retried, has none yet. */
export function isOfLatestAttempt(node: StepNode, frame: Frame): boolean {
  const turn = node.step.type === 'loop' ? frame.iteration : null;
  return frame.prefix === framePrefix(node.path, node.attempt, turn);
}

/** The number that the node's next attempt has; for one that is due, interrupted or suspended, its attempt already. */
export function nextAttempt(node: StepNode): number {
  return node.status === 'pending' ? node.attempt + 1 : node.attempt;
}
