import type { Problem } from '../../errors/workflow-error.ts';
import type { WorkflowFile } from '../file.ts';
import { append } from '../json-path.ts';
import { policiesOf, type Roster } from '../roster.ts';
import { errorAt } from './problem.ts';

interface Edge {
  readonly to: string;
  readonly path: string;
}

/** No handler handles itself, and no undo step is undone by itself, not even by way of others. */
export function checkCycles(file: WorkflowFile, roster: Roster): readonly Problem[] {
  const handling = new Map<string, Edge[]>();
  for (const { policy, path, stepId } of policiesOf(file)) {
    if (stepId === null || typeof policy === 'string' || policy.custom_handler === undefined) continue;
    const { custom_handler: handler } = policy;
    add(handling, stepId, { to: nameOf(handler), path: append(path, 'custom_handler') });
  }
  const undoing = new Map<string, Edge[]>();
  for (const { step, path, handler } of roster.all) {
    if (step.undo === undefined) continue;
    add(undoing, handler ?? step.id, { to: nameOf(step.undo), path: append(path, 'undo') });
  }
  return [...cyclesOf(handling, 'handles the errors of'), ...cyclesOf(undoing, 'undoes')];
}

function nameOf(handler: string | { readonly id: string }): string {
  return typeof handler === 'string' ? handler : handler.id;
}

function add(edges: Map<string, Edge[]>, from: string, edge: Edge): void {
  const known = edges.get(from);
  if (known === undefined) edges.set(from, [edge]);
  else known.push(edge);
}

/** Iterative, because a chain may be as long as the file. Each edge that closes a cycle is one problem. */
function cyclesOf(edges: ReadonlyMap<string, readonly Edge[]>, verb: string): readonly Problem[] {
  const problems: Problem[] = [];
  const done = new Set<string>();
  for (const start of edges.keys()) {
    const open: { readonly name: string; next: number }[] = done.has(start) ? [] : [{ name: start, next: 0 }];
    const names = new Set([start]);
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const edge = edges.get(top.name)?.[top.next];
      top.next += 1;
      if (edge === undefined) {
        open.pop();
        names.delete(top.name);
        done.add(top.name);
      } else if (names.has(edge.to)) {
        problems.push(
          errorAt(
            edge.path,
            `"${edge.to}" ${verb} itself${edge.to === top.name ? '' : `, by way of "${top.name}"`}`,
          ),
        );
      } else if (!done.has(edge.to)) {
        open.push({ name: edge.to, next: 0 });
        names.add(edge.to);
      }
    }
  }
  return problems;
}
