import { checkSchema, type SchemaFinding, valueAt } from './schema-check.ts';
import type { Json } from './workflow.ts';

const MAX_ROUNDS = 4;
const HOLDS_STEPS: ReadonlySet<string | number> = new Set([
  'steps',
  'then',
  'else',
  'handlers',
  'type',
  'id',
]);

/** What stands for a missing required key, so that the rest of the file can be checked. */
const FILLERS: Readonly<Record<string, Json>> = {
  name: 'unnamed',
  version: '0.0.0',
  condition: 'true',
  skill: 'unknown',
  agent: 'unknown',
  cron: '* * * * *',
};

/**
 * A copy of a file with the places that the schema refused taken out, or null when steps themselves are broken: then
 * a check of references would report steps that are only misspelled. So a file with one unknown key still gets all
 * its other errors in the same run.
 */
export function repaired(value: Json, findings: readonly SchemaFinding[]): Json | null {
  const copy = structuredClone(value);
  let left = findings;
  for (let round = 0; round < MAX_ROUNDS && left.length > 0; round++) {
    if (!left.every((finding) => mend(copy, finding))) return null;
    left = checkSchema(copy);
  }
  return left.length === 0 ? copy : null;
}

/** The key that tells the type of a step whose `type` is missing or misspelled. */
const TELLTALES = { agent: 'agent', then: 'conditional', condition: 'loop', steps: 'parallel' } as const;

function giveType(step: unknown): boolean {
  if (typeof step !== 'object' || step === null) return false;
  const telltale = Object.entries(TELLTALES).find(([key]) => Object.hasOwn(step, key));
  return Reflect.set(step, 'type', telltale?.[1] ?? 'skill');
}

function mend(root: Json, { keyword, key, segments }: SchemaFinding): boolean {
  if (keyword === 'discriminator' && segments[0] !== 'triggers') return giveType(valueAt(root, segments));
  if (keyword === 'additionalProperties' || key !== null) {
    const owner = valueAt(root, segments);
    if (typeof owner !== 'object' || owner === null || key === null) return false;
    if (keyword === 'required') {
      const filler = Object.hasOwn(FILLERS, key) ? FILLERS[key] : undefined;
      return filler !== undefined && Reflect.set(owner, key, filler);
    }
    return keyword !== 'discriminator' && Reflect.deleteProperty(owner, key);
  }
  const last = segments.at(-1);
  if (last === undefined || typeof last === 'number' || HOLDS_STEPS.has(last)) return false;
  const owner = valueAt(root, segments.slice(0, -1));
  return typeof owner === 'object' && owner !== null && Reflect.deleteProperty(owner, last);
}
