import { childLists, type HandlerFile, type PolicyFile, type StepFile, type WorkflowFile } from './file.ts';
import { type Gaps, NO_GAPS } from './gaps.ts';
import { append } from './json-path.ts';

/** Where a step lies in its lists, from the outermost one in. */
export interface Place {
  readonly owner: Listed | null;
  readonly key: string;
  readonly index: number;
}

/** A step of the file with its place. */
export interface Listed {
  readonly step: StepFile;
  readonly path: string;
  readonly trail: readonly Place[];
  /** The outermost step of the handler it belongs to; null in the normal flow. */
  readonly handler: string | null;
}

/** A handler, undo or rollback step named by a string. */
export interface HandlerName {
  readonly name: string;
  readonly path: string;
}

/** All steps of a file, wherever they stand, and the names by which handlers are asked for. */
export interface Roster {
  readonly all: readonly Listed[];
  /** The first step of each id. */
  readonly byId: ReadonlyMap<string, Listed>;
  readonly handlerNames: readonly HandlerName[];
  /** Ids of steps in `steps` that are named as handlers: they do not run in the normal flow. */
  readonly moved: ReadonlySet<string>;
  readonly gaps: Gaps;
  /** False only for an id that no step has for certain. */
  isDeclared(id: string): boolean;
}

export function makeRoster(file: WorkflowFile, gaps: Gaps = NO_GAPS): Roster {
  const handlerNames: HandlerName[] = [];
  const inline: { readonly step: StepFile; readonly path: string }[] = [];
  const note = (handler: HandlerFile | undefined, path: string): void => {
    if (typeof handler === 'string') handlerNames.push({ name: handler, path });
    else if (handler !== undefined) inline.push({ step: handler, path });
  };
  noteErrorHandling(file, note);
  const gather = (steps: readonly StepFile[], path: string, around: Around): Listed[] =>
    walk(steps, path, around, (listed) => note(listed.step.undo, append(listed.path, 'undo')));
  const flow = gather(file.steps, '$.steps', { owner: null, key: 'steps', trail: [], handler: null });
  const handlers = (file.handlers ?? []).flatMap((step, index) =>
    gather([step], `$.handlers[${index}]`, { owner: null, key: '', trail: [], handler: step.id }),
  );
  const inside: Listed[] = [];
  // Inline steps may hold undo steps again, which end up in the same list.
  for (let next = inline.shift(); next !== undefined; next = inline.shift()) {
    const { step, path } = next;
    inside.push(...gather([step], path, { owner: null, key: '', trail: [], handler: step.id }));
  }
  const names = new Set(handlerNames.map((handler) => handler.name));
  const taken = new Set(handlers.map((listed) => listed.step.id));
  const moved = new Set<string>();
  const settled = flow.map((listed) => {
    const root = [...listed.trail.map((place) => place.owner), listed].find(
      (step) => step !== null && names.has(step.step.id) && !taken.has(step.step.id),
    );
    if (root?.step.id === listed.step.id) moved.add(listed.step.id);
    return root === undefined || root === null ? listed : { ...listed, handler: root.step.id };
  });
  const all = [...settled, ...handlers, ...inside];
  const byId = new Map<string, Listed>();
  for (const listed of all) if (!byId.has(listed.step.id)) byId.set(listed.step.id, listed);
  const isDeclared = (id: string): boolean => byId.has(id) || gaps.strays.has(id) || gaps.areStepsOpen;
  return { all, byId, handlerNames, moved, gaps, isDeclared };
}

interface Around {
  readonly owner: Listed | null;
  readonly key: string;
  readonly trail: readonly Place[];
  readonly handler: string | null;
}

/** `path` is that of the list, or of the one step when the list has no key. */
function walk(
  steps: readonly StepFile[],
  path: string,
  { owner, key, trail, handler }: Around,
  visit: (listed: Listed) => void,
): Listed[] {
  return steps.flatMap((step, index) => {
    const place: Place = { owner, key, index };
    const listed: Listed = {
      step,
      path: key === '' ? path : append(path, index),
      trail: [...trail, place],
      handler,
    };
    visit(listed);
    const below = childLists(step).flatMap((list) =>
      walk(
        list.steps,
        append(listed.path, list.key),
        { owner: listed, key: list.key, trail: listed.trail, handler },
        visit,
      ),
    );
    return [listed, ...below];
  });
}

function noteErrorHandling(
  file: WorkflowFile,
  note: (handler: HandlerFile | undefined, path: string) => void,
): void {
  for (const { policy, path } of policiesOf(file)) {
    if (typeof policy === 'object') note(policy.custom_handler, append(path, 'custom_handler'));
  }
  for (const [index, handler] of (file.error_handling?.rollback?.steps ?? []).entries()) {
    note(handler, `$.error_handling.rollback.steps[${index}]`);
  }
}

/** The default policy and those of steps, each with its path. */
export function policiesOf(
  file: WorkflowFile,
): readonly { readonly policy: PolicyFile; readonly path: string; readonly stepId: string | null }[] {
  const handling = file.error_handling;
  const perStep = Object.entries(handling?.per_step ?? {}).map(([stepId, policy]) => ({
    policy,
    path: append('$.error_handling.per_step', stepId),
    stepId,
  }));
  if (handling?.default === undefined) return perStep;
  return [{ policy: handling.default, path: '$.error_handling.default', stepId: null }, ...perStep];
}
