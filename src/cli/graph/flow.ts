/** A workflow as a picture shows it: what follows what, and how far an instance has come. */
import type { Json, JsonObject, StepType } from '../../definition/workflow.ts';
import type { StepDocument } from '../../protocol/control.ts';
import { printable } from '../text/style.ts';

export interface FlowNode {
  readonly id: string;
  readonly kind: StepType;
  /** What it runs, or on what it depends. */
  readonly what: string;
  /** What else is to be known: retries, undo steps. */
  readonly notes: readonly string[];
  readonly branches: readonly FlowBranch[];
  /** Null where no instance is shown, or it has not come there. */
  readonly state: FlowState | null;
}

/** Steps one after the other. `name` is empty where it says nothing: the branches of parallel, the body of a loop. */
export interface FlowBranch {
  readonly name: string;
  readonly nodes: readonly FlowNode[];
}

export interface FlowState {
  readonly status: StepDocument['status'];
  /** How often it ran: turns of the loops around it, and attempts of the groups. */
  readonly runs: number;
  readonly attempts: number;
  readonly tookMs: number | null;
}

export interface Flow {
  readonly title: string;
  readonly nodes: readonly FlowNode[];
}

/** The picture of a definition as it stands in its file; `steps` are those of an instance of it. */
export function flowOf(definition: Json, title: string, steps: readonly StepDocument[] = []): Flow {
  const file = asObject(definition);
  const policies = asObject(asObject(file['error_handling'])['per_step']);
  const states = statesOf(steps);
  const nodesOf = (list: Json | undefined, prefix: string): FlowNode[] =>
    asList(list).map((step) => nodeOf(step, prefix));
  const nodeOf = (step: JsonObject, prefix: string): FlowNode => {
    const id = text(step['id']);
    const path = prefix + id;
    const below = (name: string, key: string): FlowBranch => ({
      name,
      nodes: nodesOf(step[key], `${path}/`),
    });
    return {
      id,
      kind: text(step['type']) as StepType,
      what: whatOf(step),
      notes: [...undoNote(step, states.get(`${path}!undo`)), ...policyNote(policies[id])],
      branches: branchesOf(step, below),
      state: states.get(path) ?? null,
    };
  };
  return { title: printable(title), nodes: nodesOf(file['steps'], '') };
}

function branchesOf(
  step: JsonObject,
  below: (name: string, key: string) => FlowBranch,
): readonly FlowBranch[] {
  switch (step['type']) {
    case 'parallel':
      return below('', 'steps').nodes.map((node) => ({ name: '', nodes: [node] }));
    case 'loop':
      return [below('', 'steps')];
    case 'conditional':
      return [below('then', 'then'), below('else', 'else')];
    default:
      return [];
  }
}

function whatOf(step: JsonObject): string {
  switch (step['type']) {
    case 'skill':
      return `skill ${text(step['skill'])}`;
    case 'agent':
      return `agent ${text(step['agent'])}`;
    case 'approval':
      return `asks: ${text(step['message'])}`;
    case 'parallel':
      return (
        { any: 'at once, the first counts', none: 'at once, waits for none' }[text(step['wait_for'])] ??
        'at once'
      );
    case 'conditional':
      return `if ${text(step['condition'])}`;
    case 'loop': {
      const most = step['max_iterations'];
      return `while ${text(step['condition'])}${typeof most === 'number' ? `, at most ${most} times` : ''}`;
    }
    default:
      return text(step['type']);
  }
}

function undoNote(step: JsonObject, state: FlowState | undefined): string[] {
  const undo = step['undo'];
  if (undo === undefined || undo === null) return [];
  const name = typeof undo === 'string' ? undo : text(asObject(undo)['id']);
  return [`undo: ${printable(name)}${state === undefined ? '' : ` (${state.status})`}`];
}

function policyNote(policy: Json | undefined): string[] {
  if (policy === undefined) return [];
  const strategy = typeof policy === 'string' ? policy : text(asObject(policy)['strategy'] ?? 'retry');
  const most = asObject(policy)['max_attempts'];
  return [`on error: ${strategy}${typeof most === 'number' ? `, ${most} attempts` : ''}`];
}

/** By path without turns and attempts of groups: a picture has each step once. Of several runs the last counts. */
function statesOf(steps: readonly StepDocument[]): Map<string, FlowState> {
  const states = new Map<string, FlowState>();
  for (const { path, status, attempts, started_at: start, ended_at: end } of steps) {
    const key = path.replace(/~\d+(?=[[/])|\[\d+\](?=\/)/g, '');
    const before = states.get(key);
    const took = start === null || end === null ? null : Date.parse(end) - Date.parse(start);
    states.set(key, {
      status,
      attempts,
      runs: (before?.runs ?? 0) + 1,
      tookMs: took === null ? (before?.tookMs ?? null) : (before?.tookMs ?? 0) + took,
    });
  }
  return states;
}

function text(value: Json | undefined): string {
  return printable(typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value));
}

function asObject(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function asList(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.map(asObject) : [];
}
