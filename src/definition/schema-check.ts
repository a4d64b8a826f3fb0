import type { ValidateFunction } from 'ajv';
import { type FileHandler, type FilePolicy, type FileWorkflow, isRecord } from './file.ts';
import { at, shown } from './path.ts';
import type { Problems } from './problems.ts';
import { reportSchemaErrors } from './schema-messages.ts';
import { type Entry, INNER_LISTS, inlineEntry, listEntries, MAX_DEPTH } from './tree.ts';
import type { StepType } from './workflow.ts';

type Validators = { readonly [Name in StepType | 'workflow']: ValidateFunction };

/** The steps of a file, in document order. */
export interface FileTree {
  readonly file: FileWorkflow;
  /** Roots of the normal flow. */
  readonly steps: readonly Entry[];
  readonly handlers: readonly Entry[];
  /** Steps written in place of a handler's name, by the object in the file. */
  readonly inline: ReadonlyMap<object, Entry>;
  /** Every step there is. */
  readonly all: readonly Entry[];
}

const STEP_TYPES = ['skill', 'agent', 'parallel', 'conditional', 'loop'] as const;
/** The key that only one type has, for a step whose type is missing. */
const TELLTALES: Readonly<Record<string, StepType>> = {
  skill: 'skill',
  agent: 'agent',
  wait_for: 'parallel',
};

/**
 * Checks a parsed file against the schema, each step by the rules of its type, and takes out what breaks it, so that
 * the later checks may go on. Null when the file is no object at all.
 */
export async function checkSchema(value: unknown, problems: Problems): Promise<FileTree | null> {
  const validators: Validators = await import('./generated/workflow-validator.js');
  if (!isRecord(value)) {
    problems.error('$', `a workflow is a JSON object, this is ${shown(value)}`);
    return null;
  }
  reportSchemaErrors(validators.workflow, value, '$', problems);
  const file: FileWorkflow = value;
  const walk: Walk = { validators, problems, inline: new Map(), all: [] };
  const steps = listEntries(reportNonObjects(file.steps, '$.steps', problems), '$.steps', 'steps', null);
  const handlers = listEntries(
    reportNonObjects(file.handlers, '$.handlers', problems),
    '$.handlers',
    'handlers',
    null,
  );
  for (const entry of [...steps, ...handlers]) walkStep(entry, walk);
  walkErrorHandling(file, walk);
  return { file, steps, handlers, inline: walk.inline, all: walk.all };
}

interface Walk {
  readonly validators: Validators;
  readonly problems: Problems;
  readonly inline: Map<object, Entry>;
  readonly all: Entry[];
}

function walkStep(root: Entry, walk: Walk): void {
  const { problems } = walk;
  const rest = [root];
  for (let entry = rest.pop(); entry !== undefined; entry = rest.pop()) {
    const { step, path } = entry;
    walk.all.push(entry);
    const isKnown = checkStep(entry, walk);
    if (typeof step.undo === 'object') walkInline(step.undo, at(path, 'undo'), walk);
    const hasInner = INNER_LISTS.some((list) => Array.isArray(step[list]));
    if (!isKnown || !hasInner) continue;
    if (entry.depth >= MAX_DEPTH) {
      problems.error(path, `steps are nested more than ${MAX_DEPTH} deep`);
      continue;
    }
    for (const list of INNER_LISTS) {
      const inner = reportNonObjects(step[list], at(path, list), problems);
      entry.children.push(...listEntries(inner, at(path, list), list, entry));
    }
    rest.push(...[...entry.children].reverse());
  }
}

/** Reports what is wrong with one step, not with those inside; false when its type is not known. */
function checkStep({ step, path }: Entry, { validators, problems }: Walk): boolean {
  const type: unknown = step.type;
  const known = STEP_TYPES.find((name) => name === type);
  if (known !== undefined) {
    reportSchemaErrors(validators[known], step, path, problems);
    return true;
  }
  const allowed = STEP_TYPES.join(', ');
  if (type === undefined) {
    const telltale = Object.keys(step).find((key) => Object.hasOwn(TELLTALES, key));
    const hint = telltale === undefined ? undefined : `"type": "${TELLTALES[telltale]}"`;
    problems.error(path, `"type" is missing; it is one of ${allowed}`, hint);
  } else {
    const near = typeof type === 'string' ? problems.nearest(type, STEP_TYPES) : undefined;
    problems.error(at(path, 'type'), `${shown(type)} is no type of step; it is one of ${allowed}`, near);
  }
  delete step.type;
  return false;
}

function walkInline(step: FileHandler, path: string, walk: Walk): void {
  if (!isRecord(step) || walk.inline.has(step)) return;
  const entry = inlineEntry(step, path);
  walk.inline.set(step, entry);
  walkStep(entry, walk);
}

function walkErrorHandling(file: FileWorkflow, walk: Walk): void {
  const path = '$.error_handling';
  const { default: fallback, per_step: perStep, rollback } = file.error_handling ?? {};
  const visit = (policy: string | FilePolicy | undefined, where: string): void => {
    if (typeof policy === 'object' && policy.custom_handler !== undefined)
      walkInline(policy.custom_handler, at(where, 'custom_handler'), walk);
  };
  visit(fallback, at(path, 'default'));
  for (const [id, policy] of Object.entries(perStep ?? {})) visit(policy, at(`${path}.per_step`, id));
  rollback?.steps?.forEach((step, index) => {
    walkInline(step, at(`${path}.rollback.steps`, index), walk);
  });
}

function reportNonObjects(values: unknown, path: string, problems: Problems): readonly unknown[] | undefined {
  if (!Array.isArray(values)) return undefined;
  values.forEach((value: unknown, index) => {
    if (!isRecord(value)) problems.error(at(path, index), `a step is an object, this is ${shown(value)}`);
  });
  return values;
}
