import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode, WorkflowError } from '../../errors/workflow-error.ts';
import type { KeyPart, KeySource, ModelKeys, ModelSpec } from './model-spec.ts';

/** Only temporary credentials of AWS have one. */
const OPTIONAL: readonly KeyPart[] = ['session_token'];

/**
 * The credentials of a model, from the folder of secrets and the caller's variables. Throws MODEL_NOT_CONFIGURED for
 * one that is missing.
 */
export function resolveKeys(
  spec: ModelSpec,
  env: Readonly<Record<string, string>>,
  secretsFolder: string,
): ModelKeys {
  const keys: Partial<Record<KeyPart, string>> = {};
  for (const [part, source] of Object.entries(spec.keys) as [KeyPart, KeySource][]) {
    const value = 'env' in source ? (env[source.env] ?? '') : readSecret(secretsFolder, source.secret);
    if (value !== '') keys[part] = value;
    else if (!OPTIONAL.includes(part)) throw missing(spec, part, source);
  }
  return keys;
}

/** Of the variables those that the models take a key from: all that is kept for a run. */
export function neededVariables(
  specs: readonly ModelSpec[],
  env: Readonly<Record<string, string>>,
): Record<string, string> {
  const names = specs.flatMap(({ keys }) =>
    Object.values(keys).flatMap((source) => ('env' in source ? [source.env] : [])),
  );
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

/** The value of a stored secret, without its last line end; empty when there is none of that name. */
export function readSecret(folder: string, name: string): string {
  if (!/^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/.test(name)) return '';
  try {
    return readFileSync(join(folder, name), 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  }
}

function missing(spec: ModelSpec, part: KeyPart, source: KeySource): WorkflowError {
  const where =
    'env' in source ? `the variable ${source.env} is not set` : `the secret "${source.secret}" is not stored`;
  return new WorkflowError(
    'MODEL_NOT_CONFIGURED',
    `the model "${spec.name}" needs its ${part}, and ${where}`,
  );
}
