/**
 * The head of a Markdown file between two lines `---`: the part of YAML that agent files use. Maps and lists by
 * indentation, flow values that are JSON, plain and quoted words, block texts after `|`. Anchors, tags and folded texts
 * are refused, not guessed.
 */
import type { Json, JsonObject } from '../../definition/workflow.ts';

export interface FrontMatter {
  readonly head: JsonObject;
  readonly body: string;
}

interface Line {
  readonly indent: number;
  readonly text: string;
  readonly number: number;
}

/** Throws an Error that names the line. A file without a head has an empty one. */
export function readFrontMatter(text: string): FrontMatter {
  const found = /^\ufeff?---[ \t]*\r?\n((?:[\s\S]*?\r?\n)??)---[ \t]*(?:\r?\n|$)/.exec(text);
  if (found === null) return { head: {}, body: text };
  const lines = (found[1] ?? '')
    .split(/\r?\n/)
    .map((line, index): Line => ({ indent: line.search(/\S|$/), text: line.trimEnd(), number: index + 2 }));
  const value = new Reader(lines).block(0);
  if (value !== null && (typeof value !== 'object' || Array.isArray(value)))
    throw new Error('line 2: the head must be a map');
  return { head: value ?? {}, body: text.slice(found[0].length) };
}

class Reader {
  readonly #lines: readonly Line[];
  #at = 0;

  constructor(lines: readonly Line[]) {
    this.#lines = lines;
  }

  /** The value whose lines are indented by at least `indent`; null when there are none. */
  block(indent: number): Json {
    const first = this.#next();
    if (first === null || first.indent < indent) return null;
    return first.text.trimStart().startsWith('- ') || first.text.trim() === '-'
      ? this.#list(first.indent)
      : this.#map(first.indent);
  }

  #list(indent: number): Json[] {
    const items: Json[] = [];
    for (let line = this.#next(); line !== null && line.indent === indent; line = this.#next()) {
      const text = line.text.trim();
      // As far left as its key, a list ends where the next key begins.
      if (text !== '-' && !text.startsWith('- ')) break;
      this.#at += 1;
      const rest = text.slice(1).trim();
      if (/^[\w-]+:(?: |$)/.test(rest)) throw new Error(`line ${line.number}: write maps in a list as JSON`);
      items.push(rest === '' ? this.block(indent + 1) : scalar(rest, line.number));
    }
    return items;
  }

  #map(indent: number): JsonObject {
    const entries: [string, Json][] = [];
    for (let line = this.#next(); line !== null && line.indent >= indent; line = this.#next()) {
      if (line.indent > indent) throw new Error(`line ${line.number}: is indented too far`);
      const pair = /^("(?:[^"\\]|\\.)*"|[^\s:#'"[\]{},&*!|>%@`][^:]*):(?:[ \t]+(.*))?$/.exec(
        line.text.trim(),
      );
      if (pair === null) throw new Error(`line ${line.number}: "key: value" is expected`);
      this.#at += 1;
      const key = (pair[1] ?? '').startsWith('"')
        ? String(JSON.parse(pair[1] ?? ''))
        : (pair[1] ?? '').trim();
      entries.push([key, this.#value(pair[2] ?? '', indent, line.number)]);
    }
    return Object.fromEntries(entries);
  }

  #value(rest: string, indent: number, number: number): Json {
    const text = rest.replace(/(?:^|\s)#.*$/, (comment) =>
      rest.startsWith('"') || rest.startsWith("'") ? comment : '',
    );
    if (/^\|[-+]?$/.test(text.trim())) return this.#text(indent);
    if (text.trim() !== '') return scalar(text.trim(), number);
    const next = this.#next();
    // A list may stand as far left as its key.
    return this.block(next?.text.trimStart().startsWith('-') ? indent : indent + 1);
  }

  #text(indent: number): string {
    const taken: string[] = [];
    let margin: number | null = null;
    for (let line = this.#lines[this.#at]; line !== undefined; line = this.#lines[this.#at]) {
      const isBlank = line.text.trim() === '';
      if (!isBlank && line.indent <= indent) break;
      if (!isBlank) margin ??= line.indent;
      taken.push(isBlank ? '' : line.text.slice(margin ?? 0));
      this.#at += 1;
    }
    return `${taken.join('\n').trimEnd()}\n`;
  }

  /** The next line that says something. */
  #next(): Line | null {
    for (let line = this.#lines[this.#at]; line !== undefined; line = this.#lines[this.#at]) {
      if (line.text.trim() !== '' && !line.text.trimStart().startsWith('#')) return line;
      this.#at += 1;
    }
    return null;
  }
}

function scalar(text: string, number: number): Json {
  if (/^[&*!>%@`|]/.test(text) && !text.startsWith('*"') && text !== '*' && !text.startsWith('@'))
    throw new Error(`line ${number}: this part of YAML is not read: ${text.slice(0, 20)}`);
  if (/^["[{]/.test(text)) return flow(text, number);
  if (text.startsWith("'")) {
    if (!/^'(?:[^']|'')*'$/.test(text)) throw new Error(`line ${number}: the quotes do not end`);
    return text.slice(1, -1).replaceAll("''", "'");
  }
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null' || text === '~') return null;
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) ? Number(text) : text;
}

/** `[a, b]` of bare words is the one flow value that is no JSON and that everybody writes. */
function flow(text: string, number: number): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    const words = /^\[\s*([^[\]{}"']*?)\s*\]$/.exec(text)?.[1];
    if (words === undefined)
      throw new Error(`line ${number}: is no JSON: ${text.slice(0, 40)}`, { cause: error });
    return words === '' ? [] : words.split(',').map((word) => scalar(word.trim(), number));
  }
}
