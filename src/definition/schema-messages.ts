import type { ErrorObject, ValidateFunction } from 'ajv';
import { isRecord } from './file.ts';
import { at, shown } from './path.ts';
import type { Problems } from './problems.ts';

/** What the patterns of the schema mean. */
const GRAMMARS: Readonly<Record<string, string>> = {
  '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$':
    'is made of lower-case letters, digits and inner hyphens, such as fetch-data',
  '^(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)$': 'has the form x.y.z, such as 1.0.0',
  '^[A-Za-z_][A-Za-z0-9_-]*$': 'begins with a letter or "_" and goes on with letters, digits, "_" and "-"',
};

/**
 * Reports every way in which `value` breaks a schema, and takes the broken parts out of it, so that later checks can
 * go on without them.
 */
export function reportSchemaErrors(
  validate: ValidateFunction,
  value: object,
  path: string,
  problems: Problems,
): void {
  if (validate(value)) return;
  const broken: string[][] = [];
  for (const error of validate.errors ?? []) {
    // `if` and `propertyNames` only say that an error below them was reported.
    if (error.keyword === 'if' || error.keyword === 'propertyNames') continue;
    const keys = error.instancePath.split('/').slice(1).map(unescapePointer);
    const place = pathOf(value, keys, path);
    const extra: unknown = error.params.additionalProperty;
    if (error.keyword === 'required') {
      problems.error(place, `"${String(error.params.missingProperty)}" is missing`);
    } else if (typeof extra === 'string') {
      reportUnknownKey(error, place, extra, problems);
      broken.push([...keys, extra]);
    } else if (error.propertyName === undefined) {
      problems.error(place, messageFor(error), suggestionFor(error, problems));
      broken.push(keys);
    } else {
      problems.error(at(place, error.propertyName), `the name ${shown(error.propertyName)} ${rule(error)}`);
      broken.push([...keys, error.propertyName]);
    }
  }
  for (const keys of broken) takeOut(value, keys);
}

function messageFor(error: ErrorObject): string {
  const found = shown(error.data);
  switch (error.keyword) {
    case 'type':
      return `${found} must be ${kinds(error.params.type)}`;
    case 'enum':
      return `${found} must be one of ${(error.params.allowedValues as unknown[]).map(String).join(', ')}`;
    case 'minItems':
      return 'must have at least one element';
    case 'minLength':
      return 'must not be empty';
    default:
      return `${found} ${rule(error)}`;
  }
}

function rule(error: ErrorObject): string {
  const limit = String(error.params.limit);
  switch (error.keyword) {
    case 'pattern':
      return `is not allowed: it ${GRAMMARS[String(error.params.pattern)] ?? `matches ${String(error.params.pattern)}`}`;
    case 'maxLength':
      return `is too long: at most ${limit} characters`;
    case 'minimum':
      return `is too small: at least ${limit}`;
    case 'exclusiveMinimum':
      return `is too small: more than ${limit}`;
    case 'maximum':
      return `is too large: at most ${limit}`;
    default:
      return error.message ?? 'is not allowed';
  }
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a string',
  object: 'an object',
  array: 'an array',
  boolean: 'true or false',
  number: 'a number',
  integer: 'a whole number',
};

function kinds(type: unknown): string {
  const names: unknown[] = Array.isArray(type) ? type : String(type).split(',');
  return names.map((name) => KINDS[String(name)] ?? String(name)).join(' or ');
}

function suggestionFor(error: ErrorObject, problems: Problems): string | undefined {
  const { data } = error;
  if (error.keyword === 'enum' && typeof data === 'string')
    return problems.nearest(data, (error.params.allowedValues as unknown[]).map(String));
  if (error.keyword !== 'type' || typeof data !== 'string') return undefined;
  const isNumber = /^(number|integer)$/.test(String(error.params.type)) && /^-?\d+(\.\d+)?$/.test(data);
  const isBoolean = error.params.type === 'boolean' && /^(true|false)$/.test(data);
  return isNumber || isBoolean ? data : undefined;
}

const MAX_LISTED_KEYS = 30;

function reportUnknownKey(error: ErrorObject, place: string, key: string, problems: Problems): void {
  const schema: unknown = error.parentSchema;
  const known = isRecord(schema) && isRecord(schema.properties) ? Object.keys(schema.properties) : [];
  const list = known.slice(0, MAX_LISTED_KEYS).join(', ');
  problems.error(
    at(place, key),
    `unknown key ${shown(key)}; allowed here: ${list}`,
    problems.nearest(key, known),
  );
}

function unescapePointer(key: string): string {
  return key.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** The JSON path of a place; keys of arrays become indexes. */
function pathOf(value: unknown, keys: readonly string[], path: string): string {
  let inner = value;
  let found = path;
  for (const key of keys) {
    found = at(found, Array.isArray(inner) ? Number(key) : key);
    inner = isRecord(inner) || Array.isArray(inner) ? (inner as Record<string, unknown>)[key] : undefined;
  }
  return found;
}

/** Deletes the key, or the nearest key around it when it is an element of an array: indexes must stay right. */
function takeOut(value: object, keys: readonly string[]): void {
  const holders: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
  let inner: unknown = value;
  for (const key of keys) {
    if (Array.isArray(inner)) inner = (inner as unknown[])[Number(key)];
    else if (isRecord(inner)) {
      holders.push({ holder: inner, key });
      inner = inner[key];
    } else break;
  }
  const last = holders.at(-1);
  if (last !== undefined) delete last.holder[last.key];
}
