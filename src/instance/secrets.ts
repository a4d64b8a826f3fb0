import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allSteps } from '../definition/references.ts';
import type { InputValue, Json, Workflow } from '../definition/workflow.ts';
import type { JournalEntry } from '../engine/events.ts';
import { systemCode, WorkflowError } from '../errors/workflow-error.ts';
import { secretName } from '../skills/secrets.ts';
import { isBlobRef } from './blobs.ts';

/** The secrets of one instance: what a step may have, and what no output may show. */
export interface InstanceSecrets {
  /**
   * The values that a step asks for in its own inputs, by name. Throws SECRET_MISSING for one that is not stored, and
   * for a name that came in with a result: what a step prints decides nothing.
   */
  of(path: string, inputs: Readonly<Record<string, InputValue>>, filled: Json): Record<string, string>;
  /** Every value that this instance has handed out, in this process or an earlier one. */
  masked(): string[];
}

/** Reads again what earlier processes of the instance handed out, as far as it is still stored. */
export function openSecrets(
  folder: string,
  workflow: Workflow,
  journal: readonly JournalEntry[],
): InstanceSecrets {
  const known = new Set<string>();
  for (const name of namesInJournal(journal, workflow)) {
    try {
      known.add(readSecret(folder, name));
    } catch (error) {
      // Its value was taken away since: nobody can say what to mask.
      if (!(error instanceof WorkflowError) || error.code !== 'SECRET_MISSING') throw error;
    }
  }
  return {
    of: (path, inputs, filled) => {
      const named = new Set(Object.values(inputs).flatMap(namesOf));
      for (const name of namesIn(filled))
        if (!named.has(name))
          throw new WorkflowError(
            'SECRET_MISSING',
            `step "${path}" names no secret "${name}": only {"secret": "${name}"} in its own inputs does`,
          );
      const values = Object.fromEntries([...named].map((name) => [name, readSecret(folder, name)]));
      for (const value of Object.values(values)) known.add(value);
      return values;
    },
    masked: () => [...known],
  };
}

/** Inputs that lie in a file are not read for it: the definition says what may be in them. */
function namesInJournal(journal: readonly JournalEntry[], workflow: Workflow): ReadonlySet<string> {
  const names = new Set<string>();
  let isInFile = false;
  for (const { event } of journal) {
    if (event.type !== 'step.started' || event.inputs === undefined) continue;
    if (isBlobRef(event.inputs)) isInFile = true;
    else for (const name of namesIn(event.inputs)) names.add(name);
  }
  if (isInFile) for (const name of allSteps(workflow).flatMap(namesOfStep)) names.add(name);
  return names;
}

function namesOfStep(step: ReturnType<typeof allSteps>[number]): string[] {
  return 'inputs' in step ? Object.values(step.inputs).flatMap(namesOf) : [];
}

function namesOf(value: InputValue): string[] {
  switch (value.kind) {
    case 'secret':
      return [value.name];
    case 'array':
      return value.items.flatMap(namesOf);
    case 'object':
      return Object.values(value.fields).flatMap(namesOf);
    case 'literal':
    case 'ref':
    case 'template':
      return [];
  }
}

function namesIn(value: Json): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const name = secretName(value);
  return name === null ? Object.values(value).flatMap(namesIn) : [name];
}

function readSecret(folder: string, name: string): string {
  if (!/^[A-Za-z0-9_.-]+$/.test(name) || name.startsWith('.'))
    throw new WorkflowError('SECRET_MISSING', `"${name}" cannot be the name of a secret`);
  const file = join(folder, name);
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const why =
      systemCode(error) === 'ENOENT'
        ? `there is no file ${file}`
        : `cannot read ${file}: ${systemCode(error)}`;
    throw new WorkflowError('SECRET_MISSING', `the secret "${name}" cannot be had: ${why}`, {
      cause: error,
      about: { NAME: name },
    });
  }
}
