import type { Json, JsonObject } from '../definition/workflow.ts';
import { nearest } from '../errors/nearest.ts';
import type { SkillNote } from './skill.ts';

/** Collects what reading one skill file found. */
export class NoteList {
  readonly all: SkillNote[] = [];
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  error(path: string, message: string): void {
    this.all.push({ severity: 'error', file: this.file, path, message });
  }

  warn(path: string, message: string): void {
    this.all.push({ severity: 'warning', file: this.file, path, message });
  }

  rewritten(path: string, message: string): void {
    this.all.push({ severity: 'rewritten', file: this.file, path, message });
  }

  get errors(): SkillNote[] {
    return this.all.filter((note) => note.severity === 'error');
  }
}

/**
 * Reads the fields of one object of a skill file, narrowing each to its type: a field of the wrong type is an
 * error note and reads as absent. Every key that was asked for counts as known; `warnUnknown` names the others.
 */
export class Fields {
  readonly path: string;
  readonly notes: NoteList;
  readonly #object: JsonObject;
  readonly #known = new Set<string>();

  constructor(object: JsonObject, path: string, notes: NoteList) {
    this.#object = object;
    this.path = path;
    this.notes = notes;
  }

  at(key: string): string {
    return `${this.path}.${key}`;
  }

  keys(): string[] {
    return Object.keys(this.#object);
  }

  has(key: string): boolean {
    return this.raw(key) !== undefined;
  }

  /** The value as it is; null counts as absent. */
  raw(key: string): Json | undefined {
    this.#known.add(key);
    return Object.hasOwn(this.#object, key) ? (this.#object[key] ?? undefined) : undefined;
  }

  string(key: string): string | null {
    const value = this.raw(key);
    if (value === undefined || typeof value === 'string') return value ?? null;
    this.#wrong(key, 'a string', value);
    return null;
  }

  boolean(key: string): boolean | null {
    const value = this.raw(key);
    if (value === undefined || typeof value === 'boolean') return value ?? null;
    this.#wrong(key, 'true or false', value);
    return null;
  }

  /** A finite number above zero. */
  positive(key: string): number | null {
    const value = this.raw(key);
    if (value === undefined) return null;
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
    this.#wrong(key, 'a number above 0', value);
    return null;
  }

  strings(key: string): string[] {
    const value = this.raw(key);
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
    this.#wrong(key, 'a list of strings', value);
    return [];
  }

  object(key: string): Fields | null {
    const value = this.raw(key);
    if (value === undefined) return null;
    if (isObject(value)) return new Fields(value, this.at(key), this.notes);
    this.#wrong(key, 'an object', value);
    return null;
  }

  /** An object of strings; numbers and booleans are turned to their text. */
  texts(key: string): Record<string, string> {
    const fields = this.object(key);
    const texts: Record<string, string> = {};
    for (const name of fields?.keys() ?? []) {
      const value = fields?.raw(name);
      if (value !== undefined && typeof value !== 'object') texts[name] = String(value);
      else this.notes.error(`${this.at(key)}.${name}`, 'must be a string');
    }
    return texts;
  }

  warnUnknown(): void {
    for (const key of this.keys()) {
      if (this.#known.has(key) || key.startsWith('$')) continue;
      const suggestion = nearest(key, this.#known) ?? null;
      const hint = suggestion === null ? '' : `; did you mean "${suggestion}"?`;
      this.notes.warn(this.at(key), `unknown key "${key}" is ignored${hint}`);
    }
  }

  #wrong(key: string, expected: string, value: Json): void {
    this.notes.error(this.at(key), `must be ${expected}, not ${describe(value)}`);
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value and its type for a message, cut to a readable length. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  const text = JSON.stringify(value) ?? typeof value;
  return `the ${typeof value} ${text.length > 60 ? `${text.slice(0, 57)}…` : text}`;
}
