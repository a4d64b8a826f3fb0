import validate from './generated/workflow-validator.js';
import { findingsOf, type SchemaFinding } from './schema-findings.ts';
import type { Json } from './workflow.ts';

/** The places where a value breaks the schema of workflow files. */
export function checkSchema(value: Json): readonly SchemaFinding[] {
  return findingsOf(validate, value);
}
