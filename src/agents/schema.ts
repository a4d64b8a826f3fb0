import type { Json, JsonObject } from '../definition/workflow.ts';
import { ensureError, WorkflowError } from '../errors/workflow-error.ts';

/**
 * Makes the check of answers by a JSON Schema (draft-07): one line that says what is wrong, or null. Throws AGENT_INVALID
 * for a schema that is none.
 */
export async function compileSchema(
  schema: JsonObject,
  who: string,
): Promise<(value: Json) => string | null> {
  const { Ajv } = await import('ajv');
  const ajv = new Ajv({ strict: false, allErrors: false, logger: false });
  try {
    const { $schema: _, ...rest } = schema;
    const validate = ajv.compile(rest);
    return (value) => {
      if (validate(value)) return null;
      const [error] = validate.errors ?? [];
      return `${error?.instancePath ? `${error.instancePath} ` : 'it '}${error?.message ?? 'is not valid'}`;
    };
  } catch (error) {
    throw new WorkflowError(
      'AGENT_INVALID',
      `the output_schema of ${who} is no JSON Schema: ${ensureError(error).message}`,
      {
        cause: error,
      },
    );
  }
}
