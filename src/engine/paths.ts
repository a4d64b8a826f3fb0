/** The spelling of paths; `events.ts` says what they mean. */

/** The prefix of a composite's steps: `group/`, `group~2/` in its second attempt, `loop[3]/`, `loop~2[3]/`. */
export function framePrefix(path: string, attempt: number, iteration: number | null): string {
  const retried = attempt > 1 ? `~${attempt}` : '';
  return iteration === null ? `${path}${retried}/` : `${path}${retried}[${iteration}]/`;
}

export type PathParts =
  | { readonly kind: 'child'; readonly prefix: string; readonly id: string }
  | { readonly kind: 'service'; readonly host: string; readonly name: string };

/** Takes a path apart: a step within a frame, or the handler or undo step of another path. */
export function splitPath(path: string): PathParts {
  const slash = path.lastIndexOf('/');
  const bang = path.lastIndexOf('!');
  if (bang > slash && bang > 0) {
    return { kind: 'service', host: path.slice(0, bang), name: path.slice(bang + 1) };
  }
  return { kind: 'child', prefix: path.slice(0, slash + 1), id: path.slice(slash + 1) };
}

/** The id that a path ends with: `loop[2]/process` → `process`, `a!undo` → `undo`. */
export function lastId(path: string): string {
  const parts = splitPath(path);
  return parts.kind === 'child' ? parts.id : parts.name;
}

/** The id of the step that a path is of: `loop[2]/group~2/a!handler` is the step `handler`. */
export function stepIdOf(path: string): string {
  return lastId(path).replace(/(?:\[\d+\]|~\d+)+$/, '');
}

/** True for the path itself and all that is in it: its steps, turns, other attempts, handler and undo step. */
export function isWithin(path: string, around: string): boolean {
  return path === around || (path.startsWith(around) && '/[~!'.includes(path.charAt(around.length)));
}

export const UNDO = 'undo';
export const ROLLBACK_PREFIX = '!rollback/';
