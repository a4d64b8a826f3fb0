/** The steps of a run as a tree, one row each, in the order in which they are drawn. */
import type { StepDocument } from '../../protocol/control.ts';
import { isLater, type Place, placeOf } from './place.ts';
import type { PlannedStep } from './plan.ts';

export interface TreeRow {
  readonly path: string;
  readonly name: string;
  readonly depth: number;
  /** Index of the row that it lies under; -1 at the top. */
  readonly parent: number;
  /** Null where only the definition tells of it, and for what stands for several (the rollback). */
  readonly step: StepDocument | null;
  readonly planned: PlannedStep | null;
  readonly status: RowStatus;
  /** It was done, and a rollback took it back. */
  readonly isUndone: boolean;
  /** Of a loop: the turn that is shown, from 0. */
  readonly turn: number | null;
  /** Of what it has: how many there are, are done, and failed. */
  readonly parts: { readonly done: number; readonly failed: number; readonly all: number };
}

export type RowStatus = StepDocument['status'];

interface Known {
  readonly step: StepDocument;
  readonly place: Place;
}

const DONE = new Set<RowStatus>(['completed', 'skipped', 'handled', 'cancelled']);
const OPEN = new Set<RowStatus>(['running', 'waiting']);

/**
 * What is known of a run as rows. Of a loop, and of a group that was tried again, the latest turn and attempt is shown.
 * Of what has begun, the steps to come are shown too.
 */
export function treeRows(steps: Iterable<StepDocument>, plan: readonly PlannedStep[]): readonly TreeRow[] {
  const below = childrenByParent(steps);
  const rows: TreeRow[] = [];
  const add = (
    child: { path: string; known: Known | null; planned: PlannedStep | null },
    depth: number,
    parent: number,
  ): void => {
    const { path, known, planned } = child;
    const children = childrenOf(path, known?.step ?? null, planned, below);
    const own = known?.step.status ?? (children.length === 0 ? 'pending' : statusOfAll(children));
    const index = rows.length;
    rows.push({
      path,
      name: known?.place.name ?? planned?.id ?? path.replace(/^.*[!/]/s, ''),
      depth,
      parent,
      step: known?.step ?? null,
      planned,
      status: own,
      isUndone: children.some(
        (each) => each.path === `${path}!undo` && each.known?.step.status === 'completed',
      ),
      turn: children.find(({ known: each }) => each?.place.turn != null)?.known?.place.turn ?? null,
      parts: {
        done: children.filter(({ known: each }) => each !== null && DONE.has(each.step.status)).length,
        failed: children.filter(({ known: each }) => each?.step.status === 'failed').length,
        all: children.length,
      },
    });
    for (const each of children) add(each, depth + 1, index);
  };
  for (const top of childrenOf(null, null, null, below, plan)) add(top, 0, -1);
  return rows;
}

interface Child {
  readonly path: string;
  readonly known: Known | null;
  readonly planned: PlannedStep | null;
}

/** Latest turn and attempt only. */
function childrenByParent(steps: Iterable<StepDocument>): Map<string | null, Known[]> {
  const below = new Map<string | null, Known[]>();
  for (const step of steps) {
    const place = placeOf(step.path);
    const siblings = below.get(place.parent);
    const [framed] = siblings?.filter((each) => !isService(each)) ?? [];
    const known = { step, place };
    if (siblings === undefined) below.set(place.parent, [known]);
    else if (framed === undefined || isService(known)) siblings.push(known);
    else if (isLater(place, framed.place))
      below.set(place.parent, [...siblings.filter((each) => isService(each)), known]);
    else if (!isLater(framed.place, place)) siblings.push(known);
  }
  return below;
}

/** Its handler or undo step: it belongs to no turn. */
function isService({ step }: Known): boolean {
  return step.path.lastIndexOf('!') > Math.max(0, step.path.lastIndexOf('/'));
}

function childrenOf(
  path: string | null,
  step: StepDocument | null,
  planned: PlannedStep | null,
  below: Map<string | null, Known[]>,
  top?: readonly PlannedStep[],
): readonly Child[] {
  const heard = below.get(path) ?? [];
  const byName = new Map(
    heard.map((known) => [isService(known) ? `!${known.place.name}` : known.place.name, known]),
  );
  const branches = top === undefined ? (planned?.branches ?? []) : [top];
  const isOpen = top !== undefined || (step !== null && OPEN.has(step.status));
  const prefix = prefixOf(path, heard);
  const children: Child[] = [];
  for (const branch of branches) {
    const isTaken = planned?.type !== 'conditional' || branch.some(({ id }) => byName.has(id));
    for (const each of branch) {
      const known = byName.get(each.id) ?? null;
      byName.delete(each.id);
      if (known !== null || (isOpen && isTaken))
        children.push({ path: known?.step.path ?? `${prefix}${each.id}`, known, planned: each });
    }
  }
  for (const known of byName.values()) children.push({ path: known.step.path, known, planned: null });
  // Steps of a place that no event names, such as the rollback, stand under its name at the end.
  if (path === null)
    for (const parent of below.keys())
      if (parent?.startsWith('!') === true && !parent.includes('/'))
        children.push({ path: parent, known: null, planned: null });
  return children;
}

function prefixOf(path: string | null, heard: readonly Known[]): string {
  const framed = heard.find((known) => !isService(known))?.step.path;
  if (framed !== undefined) return framed.slice(0, framed.lastIndexOf('/') + 1);
  return path === null ? '' : `${path}/`;
}

function statusOfAll(children: readonly Child[]): RowStatus {
  const all = children.map(({ known }) => known?.step.status ?? 'pending');
  return all.find((status) => OPEN.has(status)) ?? all.find((status) => !DONE.has(status)) ?? 'completed';
}
