import type { JsonObject } from '../../../definition/workflow.ts';
import { ensureError } from '../../../errors/workflow-error.ts';

/** Whether arguments fit a schema of a rule. */
export type ArgsCheck = (args: JsonObject) => boolean;

type Compile = (schema: JsonObject) => ArgsCheck;

let compile: Compile | null = null;

/**
 * Loads ajv and a regex engine whose time is linear: a pattern of a policy meets arguments that an agent chose.
 * 40 ms; only for policies that have a schema.
 */
export async function loadJsonSchema(): Promise<void> {
  if (compile !== null) return;
  const [{ Ajv }, { RE2JS }] = await Promise.all([import('ajv'), import('re2js')]);
  const linear = (pattern: string): { test: (text: string) => boolean } => {
    const regex = RE2JS.compile(pattern);
    return { test: (text) => regex.matcher(text).find() };
  };
  const ajv = new Ajv({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    validateFormats: false,
    code: { regExp: Object.assign(linear, { code: '' }) },
  });
  compile = (schema) => {
    const validate = ajv.compile(schema);
    return (args) => validate(args) === true;
  };
}

/** Throws Error, with what is wrong, for what is no JSON Schema. `loadJsonSchema` comes first. */
export function compileArgs(schema: JsonObject): ArgsCheck {
  if (compile === null) throw new Error('ajv is not loaded: await loadJsonSchema() first');
  try {
    return compile(schema);
  } catch (error) {
    throw new RangeError(ensureError(error).message, { cause: error });
  }
}
