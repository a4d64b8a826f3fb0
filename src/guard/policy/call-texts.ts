import type { Json, JsonObject } from '../../definition/workflow.ts';

export interface NamedText {
  /** The nearest name above it. */
  readonly name: string;
  readonly text: string;
}

export interface CallTexts {
  readonly texts: readonly NamedText[];
  /** There are more than are looked at: nobody knows what the others name. */
  readonly isCut: boolean;
}

const PATH_NAME =
  /^(.*[_-])?(path|paths|file|files|file_?name|filepath|dir|dirs|directory|folder|source|destination|uri|root|cwd)$/i;
const URL_NAME = /^(.*[_-])?(url|urls|uri|uris|href|link|links|endpoint|address)$/i;
/** PATH_MAX of Linux. */
const MAX_TEXT = 4096;
// Each text may be a path, and each path is walked and compared with every rule: beyond this a decision takes seconds.
const MAX_TEXTS = 1000;
const MAX_CHARACTERS = 128 * 1024;

/** True for a name that says that its value is a path. */
export function isPathName(name: string): boolean {
  return PATH_NAME.test(name);
}

/**
 * Every text of these arguments at any depth that may be a path or a URL. What spans lines or is too long is none, unless
 * its name says that it is.
 */
export function textsOf(args: JsonObject): CallTexts {
  const texts: NamedText[] = [];
  let characters = 0;
  const open = Object.entries(args).map(([name, value]): { name: string; value: Json } => ({ name, value }));
  open.reverse();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, name } = next;
    if (typeof value === 'string') {
      if (!mayBePath(name, value)) continue;
      characters += value.length;
      if (texts.length >= MAX_TEXTS || characters > MAX_CHARACTERS) return { texts, isCut: true };
      texts.push({ name, text: value });
    } else if (Array.isArray(value)) {
      for (const item of value) open.push({ value: item, name });
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) open.push({ value: item, name: key });
    }
  }
  return { texts, isCut: false };
}

function mayBePath(name: string, text: string): boolean {
  if (text === '') return false;
  return isPathName(name) || URL_NAME.test(name) || (text.length <= MAX_TEXT && !text.includes('\n'));
}
