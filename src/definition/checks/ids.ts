import type { Problem } from '../../errors/workflow-error.ts';
import type { WorkflowFile } from '../file.ts';
import { append } from '../json-path.ts';
import { RESERVED_CONTEXT_KEYS, RESERVED_IDS } from '../reserved.ts';
import type { Roster } from '../roster.ts';
import { errorAt, warningAt } from './problem.ts';

/** Ids are unique in the file, not reserved, and not equal to a key of context. */
export function checkIds(file: WorkflowFile, roster: Roster): readonly Problem[] {
  const problems: Problem[] = [];
  const contextKeys = new Set(Object.keys({ ...file.context?.readonly, ...file.context?.mutable }));
  for (const { step, path } of roster.all) {
    const at = append(path, 'id');
    const first = roster.byId.get(step.id);
    if (RESERVED_IDS.has(step.id)) {
      problems.push(errorAt(at, `"${step.id}" is a reserved word and cannot be the id of a step`));
    } else if (first !== undefined && first.step !== step) {
      problems.push(
        errorAt(at, `the id "${step.id}" is used twice; it is the step at ${first.path} already`),
      );
    }
    if (contextKeys.has(step.id)) {
      problems.push(
        errorAt(at, `the id "${step.id}" is a key of context too; expressions could not tell them apart`),
      );
    }
    if (Object.hasOwn(file.inputs ?? {}, step.id)) {
      problems.push(
        warningAt(
          at,
          `the input "${step.id}" hides this step in expressions; write steps["${step.id}"] for the step`,
        ),
      );
    }
  }
  return [...problems, ...checkUndoName(roster), ...checkContextKeys(file)];
}

/** Paths of a run write `step!undo` for the undo step and `step!name` for a handler. */
function checkUndoName(roster: Roster): readonly Problem[] {
  const roots = roster.all.filter(({ step, handler }) => handler === step.id && step.id === 'undo');
  const named = roster.handlerNames.filter(({ name }) => name === 'undo' && !roster.byId.has('undo'));
  return [...roots.map(({ path }) => append(path, 'id')), ...named.map(({ path }) => path)].map((path) =>
    errorAt(path, '"undo" is a reserved word: no handler may be called so'),
  );
}

function checkContextKeys(file: WorkflowFile): readonly Problem[] {
  const { readonly = {}, mutable = {} } = file.context ?? {};
  const reserved = Object.entries({ readonly, mutable }).flatMap(([part, values]) =>
    Object.keys(values)
      .filter((key) => RESERVED_CONTEXT_KEYS.has(key))
      .map((key) =>
        errorAt(
          append(`$.context.${part}`, key),
          `"${key}" is a reserved word and cannot be a key of context`,
        ),
      ),
  );
  const twice = Object.keys(mutable)
    .filter((key) => Object.hasOwn(readonly, key))
    .map((key) =>
      errorAt(append('$.context.mutable', key), `"${key}" is in context.readonly too; keep it in one`),
    );
  return [...reserved, ...twice];
}
