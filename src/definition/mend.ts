import type { Patient, Segments } from './patient.ts';
import type { SchemaFinding } from './schema-findings.ts';

/** What stands for a value that is missing or broken, so that the rest of its step can be checked. */
const FILLERS: Readonly<Record<string, string>> = {
  name: 'unnamed',
  version: '0.0.0',
  condition: 'true',
  skill: 'unknown',
  agent: 'unknown',
  cron: '* * * * *',
};

/** The key that tells the type of a step whose `type` is missing or misspelled. */
const TELLTALES = {
  skill: 'skill',
  agent: 'agent',
  then: 'conditional',
  condition: 'loop',
  steps: 'parallel',
} as const;

/** Mends one place that the schema refused. The patient remembers what is not the author's then. */
export function mend(patient: Patient, finding: SchemaFinding): void {
  const { keyword, key, segments, problem } = finding;
  if (keyword === 'discriminator') giveType(patient, segments, problem.suggestion);
  else if (keyword === 'additionalProperties' && key !== null)
    takeUnknown(patient, segments, key, problem.suggestion);
  else if (keyword === 'required' && key !== null) fillMissing(patient, [...segments, key]);
  else replace(patient, segments, keyword);
}

function giveType(patient: Patient, segments: Segments, suggestion: string | undefined): void {
  if (segments[0] === 'triggers') {
    patient.fill(segments, { type: 'manual' });
    return;
  }
  if (suggestion === undefined) patient.guessed(segments);
  const step = Object(patient.at(segments)) as object;
  const telltale = Object.entries(TELLTALES).find(([key]) => Object.hasOwn(step, key));
  patient.put([...segments, 'type'], suggestion ?? telltale?.[1] ?? 'skill');
}

/** A key that nobody knows may have been meant to name a handler there. */
const MAY_NAME_HANDLERS: ReadonlySet<string | number> = new Set(['steps', 'handlers', 'error_handling']);

/** A misspelled key is taken for the one that was meant; what stands beside readonly and mutable is mutable. */
function takeUnknown(
  patient: Patient,
  segments: Segments,
  key: string,
  suggestion: string | undefined,
): void {
  const value = patient.at([...segments, key]);
  if (suggestion !== undefined && patient.at([...segments, suggestion]) === undefined) {
    patient.put([...segments, suggestion], value);
    patient.moved([...segments, suggestion], [...segments, key]);
  } else if (segments.length === 1 && segments[0] === 'context') {
    if (patient.at(['context', 'mutable']) === undefined) patient.put(['context', 'mutable'], {});
    patient.put(['context', 'mutable', key], value);
  } else patient.gaps.areHandlersOpen ||= MAY_NAME_HANDLERS.has(segments[0] ?? '');
  patient.put([...segments, key], undefined);
}

function fillMissing(patient: Patient, segments: Segments): void {
  if (patient.at(segments) !== undefined) return;
  const key = String(segments.at(-1));
  if (key === 'id') fillId(patient, segments);
  else if (key === 'steps' || key === 'then') {
    patient.gaps.areStepsOpen = true;
    patient.fill(segments, []);
  } else patient.fill(segments, Object.hasOwn(FILLERS, key) ? FILLERS[key] : undefined);
}

function fillId(patient: Patient, segments: Segments): void {
  patient.gaps.areStepsOpen = true;
  patient.fill(segments, patient.placeholder());
}

function replace(patient: Patient, segments: Segments, keyword: string): void {
  const [first] = segments;
  const last = segments.at(-1);
  if (first === 'inputs') replaceDeclaration(patient, segments, 2);
  else if (first === 'context' && segments[1] !== 'access') replaceDeclaration(patient, segments, 0);
  else if (typeof last === 'number') replaceEntry(patient, segments);
  else if (isHandling(segments)) replaceHandling(patient, segments);
  else if (last === 'id') replaceId(patient, segments);
  else if (keyword === 'type' && LISTS_OF_STEPS.has(last ?? '')) replaceList(patient, segments);
  else {
    if (last === 'undo') patient.gaps.areHandlersOpen = true;
    patient.fill(segments, last !== undefined && Object.hasOwn(FILLERS, last) ? FILLERS[last] : undefined);
  }
}

/** `named`: how long the path of a part is that declares one name, and goes on to declare it. */
function replaceDeclaration(patient: Patient, segments: Segments, named: number): void {
  if (segments.length > named && named > 0) {
    patient.fill(segments, undefined);
    return;
  }
  if (segments.length !== named) patient.gaps.areNamesOpen = true;
  patient.fill(segments, {});
}

const LISTS_OF_STEPS: ReadonlySet<string | number> = new Set(['steps', 'then', 'else', 'handlers']);

function replaceEntry(patient: Patient, segments: Segments): void {
  const list = segments.at(-2) ?? '';
  if (list === 'triggers') patient.fill(segments, { type: 'manual' });
  else if (segments[0] === 'error_handling' && segments[1] === 'rollback' && segments.length === 4) {
    patient.gaps.areHandlersOpen = true;
    patient.fill(segments, patient.placeholder());
  } else if (LISTS_OF_STEPS.has(list)) {
    const written = patient.at(segments);
    const isId = typeof written === 'string' && /^[\w-]+$/.test(written);
    if (!isId) patient.gaps.areStepsOpen = true;
    const id = isId ? written : patient.placeholder();
    patient.fill(segments, { id, type: 'skill', skill: 'unknown' });
  } else {
    if (segments[0] === 'context') patient.gaps.areWritersOpen = true;
    patient.fill(segments, patient.placeholder());
  }
}

/** The policies and what they are in, but not the steps in them. */
function isHandling(segments: Segments): boolean {
  if (segments[0] !== 'error_handling') return segments.length === 0;
  const handler = segments.indexOf('custom_handler');
  const isStep = segments[1] === 'rollback' && segments[2] === 'steps' && segments.length > 3;
  return !isStep && (handler === -1 || handler === segments.length - 1);
}

function replaceHandling(patient: Patient, segments: Segments): void {
  const last = segments.at(-1);
  const isPerStep = segments[1] === 'per_step' && segments.length === 3;
  const isSetting = segments.length > (segments[1] === 'default' ? 2 : 3) && last !== 'custom_handler';
  if (!isSetting) patient.gaps.areHandlersOpen = true;
  // Whether that step is there is still to be said.
  if (isPerStep) patient.put(segments, 'halt');
  else patient.fill(segments, last === 'continue_on_error' ? true : undefined);
}

function replaceId(patient: Patient, segments: Segments): void {
  const written = patient.at(segments);
  if (typeof written === 'number' || typeof written === 'boolean') patient.put(segments, String(written));
  else fillId(patient, segments);
}

/** One step where a list of them must be is taken as its only entry. */
function replaceList(patient: Patient, segments: Segments): void {
  const written = patient.at(segments);
  const isStep = typeof written === 'object' && written !== null && ('type' in written || 'id' in written);
  if (isStep) {
    patient.put(segments, [written]);
    patient.moved([...segments, 0], segments);
  } else {
    patient.gaps.areStepsOpen = true;
    patient.fill(segments, []);
  }
}
