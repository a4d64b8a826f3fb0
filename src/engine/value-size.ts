import type { Json } from '../definition/workflow.ts';
import { WorkflowError } from '../errors/workflow-error.ts';

/**
 * A value that a step takes, gives or writes may have so many characters. As JSON text it stays below the longest
 * string that V8 makes (512 Mi), whatever has to be escaped in it, and so it can always be journaled.
 */
export const MAX_VALUE_CHARACTERS = 32 * 1024 * 1024;
/** What a number, a bracket or a comma counts. */
const NODE_CHARACTERS = 8;

/** Throws VALUE_TOO_LARGE, naming `what`. Stops counting at the limit. */
export function refuseTooLarge(what: string, value: Json): void {
  let characters = 0;
  const rest: Json[] = [value];
  for (let at = rest.pop(); at !== undefined; at = rest.pop()) {
    characters += NODE_CHARACTERS;
    if (typeof at === 'string') characters += at.length;
    else if (Array.isArray(at)) for (const item of at) rest.push(item);
    else if (typeof at === 'object' && at !== null)
      for (const [name, item] of Object.entries(at)) {
        characters += name.length;
        rest.push(item);
      }
    if (characters + rest.length * NODE_CHARACTERS > MAX_VALUE_CHARACTERS)
      throw new WorkflowError(
        'VALUE_TOO_LARGE',
        `${what} has more than ${MAX_VALUE_CHARACTERS} characters, too many to be kept.`,
        { details: { max_characters: MAX_VALUE_CHARACTERS } },
      );
  }
}
