import type { Json, JsonObject } from '../definition/workflow.ts';

export interface Filled {
  readonly text: string;
  /** Names in places for which there was no value and no declared parameter: left as they are. */
  readonly unknown: readonly string[];
}

/** `{{name}}` or `{name}`, but not `${name}`, which is a shell's or JavaScript's own. */
const PLACE = /(?<!\$)\{\{\s*([A-Za-z_][\w-]*)\s*\}\}|(?<![${])\{([A-Za-z_][\w-]*)\}/g;

/**
 * Puts values into the places of one text, each once: a value that itself looks like a place is not filled again.
 * A declared parameter without a value is empty; any other name stays as it is, so JSON and code in a template
 * survive. There is no escape: name a parameter differently from the literal.
 */
export function fillTemplate(
  template: string,
  values: Readonly<JsonObject>,
  declared: readonly string[],
): Filled {
  return fillWith(template, (name) => {
    if (Object.hasOwn(values, name)) return valueText(values[name] ?? null);
    return declared.includes(name) ? '' : null;
  });
}

/** The same with any source of replacements; null leaves the place as it is. */
export function fillWith(template: string, replacement: (name: string) => string | null): Filled {
  const unknown = new Set<string>();
  const text = template.replaceAll(PLACE, (place: string, doubled?: string, single?: string) => {
    const name = doubled ?? single ?? '';
    const value = replacement(name);
    if (value === null) unknown.add(name);
    return value ?? place;
  });
  return { text, unknown: [...unknown] };
}

/** The names in the places of a text. */
export function placeNames(template: string): string[] {
  return [...fillWith(template, () => null).unknown];
}

/** How a value reads in text, argv and environment: strings as they are, null empty, the rest as JSON. */
export function valueText(value: Json): string {
  if (typeof value === 'string') return value;
  return value === null ? '' : JSON.stringify(value);
}
