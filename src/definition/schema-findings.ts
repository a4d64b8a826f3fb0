import type { ErrorObject } from 'ajv';
import type { Problem } from '../errors/workflow-error.ts';
import { append, jsonPath, kindOf, quoted } from './json-path.ts';
import { suggest } from './suggest.ts';
import type { Json } from './workflow.ts';

type Segments = readonly (string | number)[];

/** A problem with what `repair` needs to go on behind it. */
export interface SchemaFinding {
  readonly problem: Problem;
  readonly segments: Segments;
  readonly keyword: string;
  /** The key that is missing or unknown below `segments`. */
  readonly key: string | null;
}

/** What ajv says of a branch as a whole; the errors inside the branch say it better. */
const NOISE: ReadonlySet<string> = new Set(['if', 'oneOf', 'anyOf', 'allOf', 'propertyNames']);

/** More than are ever shown; a hostile file could give a million. */
const MAX_FINDINGS = 1000;

/** True when there may be more than were given. */
export function isAtCap(findings: readonly SchemaFinding[]): boolean {
  return findings.length >= MAX_FINDINGS;
}

/** A validator that scripts/generate-validators.ts compiled. */
export interface Validator {
  (data: unknown): boolean;
  errors?: ErrorObject[] | null;
}

/** The places where a value breaks a schema, in words for people; with thousands, the first of them. */
export function findingsOf(validate: Validator, value: Json): readonly SchemaFinding[] {
  if (validate(value)) return [];
  const findings = (validate.errors ?? [])
    .filter((error) => !isSaidTwice(error))
    .filter((error) => !NOISE.has(error.keyword) || error.propertyName !== undefined)
    .filter((error) => error.keyword !== 'propertyNames')
    .slice(0, MAX_FINDINGS)
    .map((error) => describe(error, value));
  return isAtCap(findings) ? findings : withoutMisspelled(findings);
}

/** A required key that stands there misspelled is told once, as the key that nobody knows: it says what was meant. */
function withoutMisspelled(findings: readonly SchemaFinding[]): readonly SchemaFinding[] {
  const meant = new Set(
    findings
      .filter(
        ({ keyword, problem }) => keyword === 'additionalProperties' && problem.suggestion !== undefined,
      )
      .map(({ segments, problem }) => jsonPath([...segments, problem.suggestion ?? ''])),
  );
  return findings.filter(({ keyword, problem }) => keyword !== 'required' || !meant.has(problem.path));
}

/** A missing `type` breaks both `required` and the discriminator, which lists what is allowed. */
function isSaidTwice({ keyword, params, parentSchema }: ErrorObject): boolean {
  return (
    keyword === 'required' &&
    params['missingProperty'] === 'type' &&
    parentSchema?.['discriminator'] !== undefined
  );
}

function describe(error: ErrorObject, root: Json): SchemaFinding {
  const segments = segmentsOf(error.instancePath, root);
  const value = valueAt(root, segments);
  const path = jsonPath(segments);
  const params: Readonly<Record<string, unknown>> = error.params;
  const finding = (message: string, key: string | null = null, suggestion?: string): SchemaFinding => ({
    problem: {
      severity: 'error',
      path: key === null ? path : append(path, key),
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    },
    segments,
    keyword: error.keyword,
    key,
  });
  if (error.propertyName !== undefined) {
    return finding(
      `the name ${quoted(error.propertyName)} is not allowed: a letter or _ comes first, then letters, digits, _ and -`,
      error.propertyName,
    );
  }
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(String(params.additionalProperty), error, value, finding);
    case 'required':
      return finding(`"${String(params.missingProperty)}" is missing`, String(params.missingProperty));
    case 'discriminator':
      return wrongTag(error, value, finding);
    case 'enum':
    case 'const':
      return oneOf(allowedOf(error), value, finding);
    case 'type':
      return finding(`must be ${article(String(params.type))}, not ${kindOf(value)} ${quoted(value)}`);
    case 'pattern':
      return finding(`${quoted(value)} ${patternHint(segments, String(params.pattern))}`);
    default:
      return finding(`${quoted(value)} is not allowed: ${limitHint(error)}`);
  }
}

type Finding = (message: string, key?: string | null, suggestion?: string) => SchemaFinding;

function unknownKey(key: string, error: ErrorObject, value: unknown, finding: Finding): SchemaFinding {
  const known = keysOfSchema(error);
  const isTaken = (name: string): boolean =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, name);
  const free = known.filter((name) => !isTaken(name));
  const suggestion = suggest(key, free) ?? sameBeginning(key, free);
  return finding(`unknown key "${key}"; allowed here: ${known.join(', ')}`, key, suggestion);
}

const MIN_BEGINNING = 4;

/** The one key that `key` is the beginning of, or that begins it: `max_mem`, `timeout_seconds`. */
function sameBeginning(key: string, known: readonly string[]): string | undefined {
  const [only, ...others] = known.filter(
    (name) =>
      Math.min(name.length, key.length) >= MIN_BEGINNING && (name.startsWith(key) || key.startsWith(name)),
  );
  return others.length === 0 ? only : undefined;
}

function wrongTag(error: ErrorObject, value: unknown, finding: Finding): SchemaFinding {
  const allowed = isStepSchema(error) ? STEP_TYPES : TRIGGER_TYPES;
  const part = typeof value === 'object' && value !== null ? value : {};
  if (!('type' in part)) return noTag(Object.keys(part), allowed, finding);
  return oneOf(allowed, part.type, (message, _key, suggestion) => finding(message, 'type', suggestion));
}

/** ajv looks into no branch without a `type`, so a misspelled one is found here. */
function noTag(keys: readonly string[], allowed: readonly string[], finding: Finding): SchemaFinding {
  const key = keys.find((name) => suggest(name, ['type']) !== undefined);
  if (key === undefined) return finding(`"type" is missing; allowed: ${allowed.join(', ')}`, 'type');
  return { ...finding(`unknown key "${key}"`, key, 'type'), keyword: 'additionalProperties' };
}

const STEP_TYPES = ['skill', 'agent', 'approval', 'parallel', 'conditional', 'loop'];
const TRIGGER_TYPES = ['manual', 'schedule'];

function isStepSchema(error: ErrorObject): boolean {
  return !error.instancePath.startsWith('/triggers');
}

function oneOf(allowed: readonly string[], value: unknown, finding: Finding): SchemaFinding {
  const suggestion = typeof value === 'string' ? suggest(value, allowed) : undefined;
  return finding(`${quoted(value)} is not allowed; allowed: ${allowed.join(', ')}`, null, suggestion);
}

function allowedOf(error: ErrorObject): readonly string[] {
  const params: Readonly<Record<string, unknown>> = error.params;
  const values = params.allowedValues ?? [params.allowedValue];
  return Array.isArray(values) ? values.map(String) : [];
}

/** The keys that the schema object knows; ajv hands it over because the validator is compiled with `verbose`. */
function keysOfSchema(error: ErrorObject): readonly string[] {
  return Object.keys(error.parentSchema?.properties ?? {}).filter((key) => key !== '$schema');
}

function patternHint(segments: Segments, pattern: string): string {
  const key = segments.at(-1);
  if (key === 'version') return 'is not a version: three numbers like 1.0.0';
  if (pattern.startsWith('^[a-z0-9]')) {
    return 'is not a name: lower-case letters and digits, with hyphens inside';
  }
  if (pattern.startsWith('^[A-Za-z0-9_]')) return 'is not a field name: letters, digits, _ and -';
  return `does not match ${pattern}`;
}

function limitHint(error: ErrorObject): string {
  const params: Readonly<Record<string, unknown>> = error.params;
  const limit = String(params.limit);
  switch (error.keyword) {
    case 'minimum':
      return `at least ${limit}`;
    case 'exclusiveMinimum':
      return `more than ${limit}`;
    case 'maximum':
      return `at most ${limit}`;
    case 'minItems':
      return `at least ${limit} ${limit === '1' ? 'entry' : 'entries'}`;
    case 'minLength':
      return 'it must not be empty';
    case 'maxLength':
      return `at most ${limit} characters`;
    case 'uniqueItems':
      return 'it names the same thing twice';
    default:
      return error.message ?? error.keyword;
  }
}

function article(type: string): string {
  const word = type === 'array' ? 'list' : type === 'integer' ? 'whole number' : type;
  return `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
}

/** A JSON pointer as path segments; array places as numbers. */
function segmentsOf(pointer: string, root: Json): Segments {
  const segments: (string | number)[] = [];
  let value: unknown = root;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    segments.push(Array.isArray(value) ? Number(key) : key);
    value = valueAt(value, segments.slice(-1));
  }
  return segments;
}

/** The value at a path, or undefined where there is none. */
export function valueAt(root: unknown, segments: Segments): unknown {
  let value = root;
  for (const segment of segments) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = Reflect.get(value, segment);
  }
  return value;
}
