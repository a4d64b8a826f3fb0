import type { Problem } from '../../errors/workflow-error.ts';
import type { WorkflowFile } from '../file.ts';
import { append } from '../json-path.ts';
import type { Roster } from '../roster.ts';
import { errorAt, unknownName } from './problem.ts';

/** Who writes what: only declared mutable names, and only the steps that `context.access` lists for them. */
export function checkContext(file: WorkflowFile, roster: Roster): readonly Problem[] {
  return [...checkWrites(file, roster), ...checkAccess(file, roster), ...checkInputDefaults(file)];
}

function checkWrites(file: WorkflowFile, roster: Roster): readonly Problem[] {
  const { mutable = {}, readonly = {}, access = {} } = file.context ?? {};
  const problem = (name: string, id: string, path: string): Problem | null => {
    if (Object.hasOwn(readonly, name))
      return errorAt(path, `"${name}" is in context.readonly: no step may write it`);
    if (!Object.hasOwn(mutable, name)) {
      if (roster.gaps.areNamesOpen) return null;
      return unknownName(path, `context.mutable has no "${name}" to write`, name, Object.keys(mutable));
    }
    const allowed = Object.hasOwn(access, name) ? access[name] : undefined;
    if (allowed === undefined || allowed.includes(id) || roster.gaps.areWritersOpen) return null;
    return errorAt(
      path,
      `step "${id}" may not write "${name}": context.access lists ${allowed.join(', ') || 'no step'}`,
    );
  };
  return roster.all
    .flatMap(({ step, path }) => [
      ...Object.keys(step.set ?? {}).map((name) => problem(name, step.id, append(append(path, 'set'), name))),
      ...(step.writes ?? []).map((name, index) =>
        problem(name, step.id, append(append(path, 'writes'), index)),
      ),
    ])
    .filter((found) => found !== null);
}

function checkAccess(file: WorkflowFile, roster: Roster): readonly Problem[] {
  const mutable = Object.keys(file.context?.mutable ?? {});
  return Object.entries(file.context?.access ?? {}).flatMap(([name, ids]) => {
    const path = append('$.context.access', name);
    const problems = ids.flatMap((id, index) =>
      roster.isDeclared(id)
        ? []
        : [unknownName(append(path, index), `there is no step "${id}"`, id, roster.byId.keys())],
    );
    if (mutable.includes(name) || roster.gaps.areNamesOpen) return problems;
    return [unknownName(path, `context.mutable has no "${name}"`, name, mutable), ...problems];
  });
}

function checkInputDefaults(file: WorkflowFile): readonly Problem[] {
  return Object.entries(file.inputs ?? {}).flatMap(([name, { type = 'any', default: value, required }]) => {
    if (value === undefined || type === 'any') return [];
    // An input that is not given and has no default is null anyway.
    if (value === null && required !== true) return [];
    const kind = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
    if (kind === type) return [];
    const path = append(append('$.inputs', name), 'default');
    return [errorAt(path, `the default of "${name}" must be of type ${type}, not ${kind}`)];
  });
}
