import type { FileHandler, FilePolicy } from './file.ts';
import { at } from './path.ts';
import type { FileTree } from './schema-check.ts';
import type { Entry } from './tree.ts';

/** What a handler's name stands for. */
export type Target =
  | { readonly kind: 'step'; readonly entry: Entry }
  | { readonly kind: 'skill'; readonly name: string };

/** A place that names a handler, an undo step or a rollback step. */
export interface HandlerUse {
  readonly handler: FileHandler;
  readonly path: string;
  readonly target: Target;
  /** The step that it undoes, or whose policy it is of; null for the default and the rollback. */
  readonly owner: Entry | null;
  readonly role: 'undo' | 'custom_handler' | 'rollback';
}

/** The names of a file and what they stand for; the base of all checks beyond the schema. */
export interface Analysis extends FileTree {
  readonly byId: ReadonlyMap<string, Entry>;
  readonly stepIds: ReadonlySet<string>;
  readonly uses: readonly HandlerUse[];
  /** Steps of the flow, or within handlers, that run only as handlers because something names them. */
  readonly taken: ReadonlySet<Entry>;
  resolve(handler: FileHandler): Target;
}

/** Gives every name its meaning: handlers first, then steps at any depth, then skills. The first of equal ids wins. */
export function analyse(tree: FileTree): Analysis {
  const byId = new Map<string, Entry>();
  const listed = tree.all.filter((entry) => entry.list !== 'inline');
  for (const entry of [...tree.handlers, ...listed, ...tree.all]) {
    const { id } = entry.step;
    if (typeof id === 'string' && !byId.has(id)) byId.set(id, entry);
  }
  const resolve = (handler: FileHandler): Target => {
    const entry = typeof handler === 'string' ? byId.get(handler) : tree.inline.get(handler);
    if (entry !== undefined) return { kind: 'step', entry };
    return { kind: 'skill', name: typeof handler === 'string' ? handler : '' };
  };
  const uses = [...handlerUses(tree, byId)].map((use) => ({ ...use, target: resolve(use.handler) }));
  const taken = new Set<Entry>();
  for (const { target, handler } of uses) {
    if (typeof handler !== 'string' || target.kind !== 'step') continue;
    const { entry } = target;
    if (entry.parent !== null || entry.list === 'steps') taken.add(entry);
  }
  return { ...tree, byId, stepIds: new Set(byId.keys()), uses, taken, resolve };
}

function* handlerUses(
  tree: FileTree,
  byId: ReadonlyMap<string, Entry>,
): Generator<Omit<HandlerUse, 'target'>> {
  for (const owner of tree.all) {
    const handler = owner.step.undo;
    if (handler !== undefined) yield { handler, path: at(owner.path, 'undo'), owner, role: 'undo' };
  }
  const { default: fallback, per_step: perStep, rollback } = tree.file.error_handling ?? {};
  const path = '$.error_handling';
  const policies: [string, string | FilePolicy | undefined, Entry | null][] = [
    [at(path, 'default'), fallback, null],
  ];
  for (const [id, policy] of Object.entries(perStep ?? {}))
    policies.push([at(`${path}.per_step`, id), policy, byId.get(id) ?? null]);
  for (const [where, policy, owner] of policies) {
    if (typeof policy !== 'object' || policy.custom_handler === undefined) continue;
    yield {
      handler: policy.custom_handler,
      path: at(where, 'custom_handler'),
      owner,
      role: 'custom_handler',
    };
  }
  for (const [index, handler] of (rollback?.steps ?? []).entries())
    yield { handler, path: at(`${path}.rollback.steps`, index), owner: null, role: 'rollback' };
}

/** The step that begins the normal flow, or the handler, that the entry is within. */
export function rootOf(entry: Entry, { taken }: Analysis): Entry {
  let root = entry;
  while (root.parent !== null && !taken.has(root)) root = root.parent;
  return root;
}

/** True for a step that runs only as, or within, an error handler, undo or rollback step. */
export function isInHandler(entry: Entry, analysis: Analysis): boolean {
  const root = rootOf(entry, analysis);
  return root.list !== 'steps' || root.parent !== null || analysis.taken.has(root);
}
