import { RESERVED_IDS } from '../definition/reserved.ts';

const MAX_LENGTH = 100;
const NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
/** How many words of a purpose make a name. */
const MAX_WORDS = 4;

/** A name made of the first words of a text; `fallback` where it has none. */
export function slug(text: string, fallback: string): string {
  const words = text
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .normalize('NFKD')
    .replace(/[\u0300-\u036f']/g, '')
    .match(/[a-z0-9]+/g);
  const name = (words ?? []).slice(0, MAX_WORDS).join('-').slice(0, 40).replace(/-+$/, '');
  return name === '' || RESERVED_IDS.has(name) ? fallback : name;
}

/** Why a text is no name; null for one that is. */
export function nameFault(name: string): string | null {
  if (NAME.test(name) && name.length <= MAX_LENGTH) return null;
  return 'Write it with lower-case letters, digits and inner hyphens.';
}

/** The name itself, else the first of name-2, name-3, … that is free. */
export function freeName(name: string, taken: (name: string) => boolean): string {
  if (!taken(name)) return name;
  for (let count = 2; ; count += 1) {
    const next = `${name}-${count}`;
    if (!taken(next)) return next;
  }
}
