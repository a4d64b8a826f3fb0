import type { Json } from '../definition/workflow.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { isObject } from './fields.ts';

/** Names to values, resolved by the caller at the spawn; never journaled. */
export type Secrets = Readonly<Record<string, string>>;

/** The name in `{"$secret": "NAME"}`, or null for any other value. */
export function secretName(value: Json): string | null {
  if (!isObject(value) || Object.keys(value).length !== 1) return null;
  const name = value.$secret;
  return typeof name === 'string' ? name : null;
}

/** True when the value is a secret or holds one. */
export function holdsSecret(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return secretName(value) !== null || Object.values(value).some(holdsSecret);
}

/** The value with every secret in it put in; throws SECRET_MISSING for one that was not given. */
export function revealSecrets(value: Json, secrets: Secrets): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => revealSecrets(item, secrets));
  const name = secretName(value);
  if (name === null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, revealSecrets(item, secrets)]),
    );
  }
  const secret = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
  if (secret === undefined)
    throw new WorkflowError('SECRET_MISSING', `the secret "${name}" is not stored`, {
      about: { NAME: name },
    });
  return secret;
}
