/** What texts of a call name, where nobody knows how its tool reads them. */
import type { Access } from '../../tools.ts';
import { isContentName, isFolderName, isPathName, isPlaceName, type NamedText } from '../calls/call-texts.ts';
import type { PathReader } from '../calls/path-reader.ts';
import type { PathUse } from '../calls/subject.ts';
import { type Destination, readHost, readUrl } from '../calls/url.ts';

const MAX_BASES = 4;

/** The folders that relative paths of a call may begin in: where it runs, and those that it names itself. */
export function basesOf(
  texts: readonly NamedText[],
  paths: PathReader,
): { readonly bases: readonly string[]; readonly isCut: boolean } {
  const named = texts
    .filter(({ name }) => isFolderName(name))
    .flatMap(({ text }) => paths.resolve(plainPath(text)).real);
  const bases = [...new Set([paths.cwd, ...named])];
  return { bases: bases.slice(0, MAX_BASES + 1), isCut: bases.length > MAX_BASES + 1 };
}

/** Every way in which a text may be taken for a path. */
export function pathUses(
  { name, text }: NamedText,
  access: readonly Access[],
  paths: PathReader,
  bases: readonly string[],
): PathUse[] {
  const isKnown = isPathName(name) || /^\.{0,2}\//.test(text) || text.startsWith('~/');
  const asWritten = paths.use(plainPath(text), access, isKnown, bases);
  if (!isFileUrl(text)) return [asWritten];
  const decoded = decodedPath(text);
  return [asWritten, paths.use(decoded, access, true, bases)];
}

function plainPath(text: string): string {
  return /^file:\/\//i.test(text) ? text.replace(/^file:\/\/(localhost)?/i, '') : text;
}

/** Readers of URLs take line breaks and tabs out, and what is not printed at the beginning. */
function mended(text: string): string {
  return text.replace(/[\t\r\n]/g, '').replace(/^[\u0000-\u0020]+/, '');
}

export function isFileUrl(text: string): boolean {
  return /^file:/i.test(mended(text));
}

/** Null where it names another machine, or cannot be read. */
function decodedPath(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || url.hostname !== '') return null;
  try {
    return decodeURIComponent(url.pathname);
  } catch {
    return null;
  }
}

const WEB = /^(https?|wss?|ftp):/i;
const OTHER_SCHEME = /^[a-z][a-z0-9+.-]*:[/\\]{2}/i;

/** The hosts that texts name, as their readers would mend them. */
export function openDestinations(texts: readonly NamedText[]): Destination[] {
  return texts.flatMap(({ name, text }): Destination[] => {
    const plain = mended(text);
    if (isFileUrl(plain)) return [];
    if (WEB.test(plain) || OTHER_SCHEME.test(plain)) return [readUrl(text)];
    if (/^[/\\]{2}[^/\\]/.test(plain)) return [readUrl(`http:${plain}`)];
    const host = isPlaceName(name) && /[.:]|^localhost$/.test(plain) ? readHost(plain) : null;
    return host === null ? [] : [host];
  });
}

const MAX_GUESSES = 64;
const URL_WITHIN = /[a-z][a-z0-9+.-]*:\/\/[^\s"'`<>]+/gi;
const HOST_WORD = /^(?:[^@\s/:]+@)?(?:[\w-]+\.)+[a-z][\w-]*\.?(?::.*)?$/i;
const ADDRESS = /^(?:\d+\.){3}\d+(?::\d+)?$|^\[[\da-f:.]+\](?::\d+)?$/i;

/** Hosts within texts of any name, such as a command line: enough to forbid them. What is only said names none. */
export function guessedPlaces(texts: readonly NamedText[]): Destination[] {
  const spoken = texts.filter(({ name, text }) => !isContentName(name) && /[.:]/.test(text));
  const found = spoken.flatMap(({ text }) => {
    const words = text.split(/[\s"'`,;()<>]+/).map((word) => word.replace(/[/?#].*$/s, ''));
    const hosts = words.filter(
      (word) => HOST_WORD.test(word) || (ADDRESS.test(word) && word === text.trim()),
    );
    return [...hosts.map(readHost), ...(text.match(URL_WITHIN) ?? []).map(readUrl)];
  });
  return found.filter((to) => to !== null).slice(0, MAX_GUESSES);
}
