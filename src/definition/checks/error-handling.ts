import { didYouMean } from '../../errors/nearest.ts';
import { ERROR_TABLE, isErrorCode } from '../../errors/table.ts';
import type { Problem } from '../../errors/workflow-error.ts';
import type { PolicyFile, PolicyObject, WorkflowFile } from '../file.ts';
import { append } from '../json-path.ts';
import { policiesOf, type Roster } from '../roster.ts';
import { suggest } from '../suggest.ts';
import { errorAt, unknownName, warningAt } from './problem.ts';

const RETRY_KEYS = [
  'max_attempts',
  'backoff',
  'initial_delay',
  'factor',
  'max_delay',
  'jitter',
  'retry_on',
  'then',
] as const;

/** Policies name known steps, hold what their strategy needs, and do not contradict themselves. */
export function checkErrorHandling(file: WorkflowFile, roster: Roster): readonly Problem[] {
  const isOff = file.error_handling?.rollback?.enabled === false;
  // A handler that is named by its skill has that name as its id.
  const known = new Set([...roster.byId.keys(), ...roster.handlerNames.map(({ name }) => name)]);
  const policies = policiesOf(file).flatMap(({ policy, path, stepId }) => {
    const unknown =
      stepId === null || known.has(stepId) || roster.isDeclared(stepId)
        ? []
        : [unknownName(path, `there is no step "${stepId}"`, stepId, known)];
    const off = isOff && usesRollback(policy) ? [warningAt(path, ROLLBACK_OFF)] : [];
    return [...unknown, ...checkPolicy(policy, path), ...off];
  });
  return [
    ...policies,
    ...checkHandlerNames(roster),
    ...checkUnused(file, roster),
    ...checkRollbackSteps(file),
  ];
}

const ROLLBACK_OFF =
  'the strategy is rollback, but error_handling.rollback.enabled is false: it ends as halt does';

function usesRollback(policy: PolicyFile): boolean {
  if (typeof policy === 'string') return policy === 'rollback';
  return policy.strategy === 'rollback' || policy.then === 'rollback';
}

function checkPolicy(policy: PolicyFile, path: string): readonly Problem[] {
  if (typeof policy === 'string') {
    return policy === 'custom'
      ? [errorAt(path, 'the strategy custom needs an object with "custom_handler"')]
      : [];
  }
  const { strategy, continue_on_error: isContinued } = policy;
  if (strategy === undefined && isContinued !== true)
    return [errorAt(append(path, 'strategy'), '"strategy" is missing')];
  return [
    ...checkCustom(policy, path),
    ...checkContinue(policy, path),
    ...(strategy === 'retry' ? checkRetry(policy, path) : checkNoRetry(policy, path)),
  ];
}

function checkCustom(policy: PolicyObject, path: string): readonly Problem[] {
  const isCustom = policy.strategy === 'custom' || policy.then === 'custom';
  const at = append(path, 'custom_handler');
  if (isCustom && policy.custom_handler === undefined) {
    return [
      errorAt(at, 'the strategy custom needs "custom_handler": a handler\'s id, a skill\'s name or a step'),
    ];
  }
  if (isCustom || policy.custom_handler === undefined) return [];
  return [warningAt(at, 'custom_handler has no effect without the strategy custom')];
}

function checkContinue(
  { strategy, then, continue_on_error: isContinued }: PolicyObject,
  path: string,
): readonly Problem[] {
  const at = append(path, 'continue_on_error');
  const last = strategy === 'retry' ? (then ?? 'skip') : strategy;
  if (isContinued === true && last !== undefined && last !== 'skip') {
    return [errorAt(at, `continue_on_error means the strategy skip, but the strategy is ${last}`)];
  }
  if (isContinued === false && strategy === 'skip') {
    return [errorAt(at, 'the strategy skip goes on after an error, but continue_on_error is false')];
  }
  return [];
}

function checkRetry(policy: PolicyObject, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  const { initial_delay: first, max_delay: most } = policy;
  if (first !== undefined && most !== undefined && most < first) {
    problems.push(
      errorAt(append(path, 'max_delay'), `max_delay ${most} is less than initial_delay ${first}`),
    );
  }
  for (const [index, code] of (policy.retry_on ?? []).entries()) {
    if (isErrorCode(code)) continue;
    const suggestion = suggest(code, Object.keys(ERROR_TABLE));
    const at = append(append(path, 'retry_on'), index);
    problems.push(
      warningAt(at, `no error of q workflow has the code "${code}"${didYouMean(suggestion)}`, suggestion),
    );
  }
  return problems;
}

function checkNoRetry(policy: PolicyObject, path: string): readonly Problem[] {
  return RETRY_KEYS.filter((key) => policy[key] !== undefined).map((key) =>
    warningAt(
      append(path, key),
      `"${key}" has no effect: the strategy is ${policy.strategy ?? 'skip'}, not retry`,
    ),
  );
}

/** A rollback step has one place in the journal: its id. */
function checkRollbackSteps(file: WorkflowFile): readonly Problem[] {
  const seen = new Set<string>();
  return (file.error_handling?.rollback?.steps ?? []).flatMap((handler, index) => {
    const id = typeof handler === 'string' ? handler : handler.id;
    const isTwice = seen.has(id);
    seen.add(id);
    return isTwice
      ? [errorAt(append('$.error_handling.rollback.steps', index), `"${id}" is in rollback.steps already`)]
      : [];
  });
}

/** The name is part of paths such as `step!name`. */
const SKILL_NAME = /^[A-Za-z0-9_-]+$/;

function checkHandlerNames(roster: Roster): readonly Problem[] {
  return roster.handlerNames.flatMap(({ name, path }) => {
    if (roster.moved.has(name)) {
      return [warningAt(path, `step "${name}" is named as a handler, so it does not run in the normal flow`)];
    }
    const found = roster.byId.get(name);
    if (found !== undefined) return found.handler === name ? [] : [warningAt(path, taken(name))];
    if (!SKILL_NAME.test(name) && !roster.gaps.strays.has(name)) {
      const message = `"${name}" is neither the id of a step nor the name of a skill: letters, digits, _ and -`;
      return [errorAt(path, message)];
    }
    const suggestion = roster.isDeclared(name) ? undefined : suggest(name, roster.byId.keys());
    if (suggestion === undefined) return [];
    return [warningAt(path, `${taken(name)}${didYouMean(suggestion)}`, suggestion)];
  });
}

function checkUnused(file: WorkflowFile, roster: Roster): readonly Problem[] {
  if (roster.gaps.areHandlersOpen) return [];
  const named = new Set(roster.handlerNames.map(({ name }) => name));
  return (file.handlers ?? []).flatMap(({ id }, index) => {
    if (named.has(id)) return [];
    const message = `no policy, undo or rollback names the handler "${id}": it never runs`;
    return [warningAt(append(append('$.handlers', index), 'id'), message)];
  });
}

const taken = (name: string): string => `no handler has the id "${name}"; it is taken as the skill "${name}"`;
