import type { Problem } from '../errors/workflow-error.ts';
import type { Gaps } from './gaps.ts';
import { mend } from './mend.ts';
import { Patient } from './patient.ts';
import { checkSchema } from './schema-check.ts';
import { isAtCap, type SchemaFinding } from './schema-findings.ts';
import type { Json } from './workflow.ts';

export interface Repaired {
  /** Passes the schema, but for ids that are no names and lists that are too short or say a thing twice. */
  readonly value: Json;
  /** What the schema refuses below parts that it did not look into at first. */
  readonly more: readonly Problem[];
  readonly gaps: Gaps;
  /** A problem of the repaired file in terms of the file; null for one that only follows from the repair. */
  readonly translate: (problem: Problem) => Problem | null;
}

/** Each round looks one broken step deeper. */
const MAX_ROUNDS = 10;

/**
 * A copy of a file whose broken parts are mended, so that the rest can be checked: one broken part hides no error
 * elsewhere. Null for what is no object, and when there is more to mend than is ever shown.
 */
export function repaired(value: Json, findings: readonly SchemaFinding[]): Repaired | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const patient = new Patient(structuredClone(value));
  const more: Problem[] = [];
  const told = new Set<string>();
  let left = findings;
  for (let round = 0; ; round += 1) {
    if (round === MAX_ROUNDS || isAtCap(left)) return null;
    for (const finding of left) {
      // Said before it is mended: then nobody wrote what is there.
      const problem = patient.isGuessed(finding) ? null : patient.translate(finding.problem);
      const isNew = problem !== null && !told.has(`${finding.keyword} ${problem.path}`);
      if (isNew) told.add(`${finding.keyword} ${problem.path}`);
      if (isNew && round > 0) more.push(problem);
    }
    const toMend = left.filter((finding) => !isTolerable(finding, patient));
    if (toMend.length === 0) break;
    for (const finding of unknownFirst(toMend)) mend(patient, finding);
    left = checkSchema(patient.root);
  }
  return {
    value: patient.root,
    more,
    gaps: { ...patient.gaps, strays: idsIn(value) },
    translate: (problem) => patient.translate(problem),
  };
}

/** A misspelled key is no missing one, once it is known what it was to be. */
function unknownFirst(findings: readonly SchemaFinding[]): readonly SchemaFinding[] {
  const isUnknown = ({ keyword }: SchemaFinding): boolean => keyword === 'additionalProperties';
  return [...findings.filter(isUnknown), ...findings.filter((finding) => !isUnknown(finding))];
}

/** What the checks of meaning can live with. */
function isTolerable({ keyword, key, segments }: SchemaFinding, patient: Patient): boolean {
  if (keyword === 'minItems' || keyword === 'uniqueItems') return true;
  // A name of an input or of context.
  if (keyword === 'pattern' && key !== null) return true;
  const isId = segments.at(-1) === 'id' && segments.length > 2;
  return isId && (keyword === 'pattern' || keyword === 'maxLength') && patient.at(segments) !== '';
}

/** Keys below which an `id` is no id of a step. */
const OPAQUE: ReadonlySet<string> = new Set([
  'inputs',
  'set',
  'context',
  'guardrails',
  'outputs',
  'resource_limits',
  'sandbox',
  'triggers',
]);

/** Every id that can be read, wherever a step may stand. */
function idsIn(root: Json): ReadonlySet<string> {
  const ids = new Set<string>();
  const rest: Json[] = [root];
  for (let at = rest.pop(); at !== undefined; at = rest.pop()) {
    if (typeof at !== 'object' || at === null) continue;
    if (Array.isArray(at)) {
      for (const item of at) rest.push(item);
      continue;
    }
    const { id } = at;
    if (typeof id === 'string' && id !== '') ids.add(id);
    for (const [key, item] of Object.entries(at)) if (!OPAQUE.has(key)) rest.push(item);
  }
  return ids;
}
