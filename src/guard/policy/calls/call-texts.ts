import type { Json, JsonObject } from '../../../definition/workflow.ts';

export interface NamedText {
  /** The nearest name above it, words apart: `targetPath` is `target_path`. */
  readonly name: string;
  readonly text: string;
}

export interface CallTexts {
  readonly texts: readonly NamedText[];
  /** There are more than are looked at: nobody knows what the others name. */
  readonly isCut: boolean;
}

const PATH_NAME =
  /^(.*[_-])?(path|paths|file|files|file_?name|filepath|dir|dirs|directory|folder|source|src|dest|destination|target|location|uri|root|cwd)$/i;
const URL_NAME = /^(.*[_-])?(url|urls|uri|uris|href|link|links|endpoint|address|site|page|pages)$/i;
const HOST_NAME = /^(.*[_-])?(host|hostname|hosts|domain|domains|server)$/i;
const FOLDER_NAME = /^(.*[_-])?(cwd|root|dir|directory|folder|base|work_?dir|base_?path)$/i;
/** What is written or said, not where: it may begin like a path. */
const CONTENT_NAME =
  /^(.*[_-])?(contents?|text|body|message|code|data|markdown|html|css|query|sql|script|prompt|description|comment|diff|patch|input|stdin|thought)$/i;
/** PATH_MAX of Linux. */
const MAX_TEXT = 4096;
// Each text may be a path, and each path is walked and compared with every rule: beyond this a decision takes seconds.
const MAX_TEXTS = 1000;
const MAX_CHARACTERS = 128 * 1024;

/** True for a name that says that its value is a path. */
export function isPathName(name: string): boolean {
  return PATH_NAME.test(name);
}

/** True for a name that says that its value is a URL, or a host. */
export function isPlaceName(name: string): boolean {
  return URL_NAME.test(name) || HOST_NAME.test(name);
}

/** True for a name of what is written or said. */
export function isContentName(name: string): boolean {
  return CONTENT_NAME.test(name);
}

/** True for a name of a folder that other paths of the same call may begin in. */
export function isFolderName(name: string): boolean {
  return FOLDER_NAME.test(name);
}

/**
 * Every text of these arguments at any depth that may be a path or a URL, keys below the first level too. What spans
 * lines or is too long is none, unless its name or its beginning says that it is. No path holds a NUL: a text that is
 * not named as one counts as the parts between them, since a program may read as far as the first.
 */
export function textsOf(args: JsonObject): CallTexts {
  const texts: NamedText[] = [];
  let characters = 0;
  const add = (name: string, text: string): boolean => {
    for (const part of isPathName(name) ? [text] : text.split('\0')) {
      if (!mayBePlace(name, part)) continue;
      characters += part.length;
      if (texts.length >= MAX_TEXTS || characters > MAX_CHARACTERS) return false;
      texts.push({ name, text: part });
    }
    return true;
  };
  const open = Object.entries(args).map(([name, value]): { name: string; value: Json } => ({
    name: wordsApart(name),
    value,
  }));
  open.reverse();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, name } = next;
    if (typeof value === 'string') {
      if (!add(name, value)) return { texts, isCut: true };
    } else if (Array.isArray(value)) {
      for (const item of value) open.push({ value: item, name });
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        if (!add(name, key)) return { texts, isCut: true };
        open.push({ value: item, name: wordsApart(key) });
      }
    }
  }
  return { texts, isCut: false };
}

function wordsApart(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2');
}

function mayBePlace(name: string, text: string): boolean {
  if (text === '') return false;
  if (isPathName(name) || isPlaceName(name)) return true;
  if (text.length <= MAX_TEXT && !text.includes('\n')) return true;
  return !CONTENT_NAME.test(name) && /^\s*(~?\/|\.{1,2}\/|[a-z][a-z0-9+.-]*:)/i.test(text);
}
