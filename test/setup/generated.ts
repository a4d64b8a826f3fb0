import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { generateValidators } from '../../scripts/generate-validators.ts';

const root = path.join(import.meta.dirname, '..', '..');

/** Makes the generated validators when they are missing or older than the schema, so that one test file can run alone. */
export async function ensureGenerated(): Promise<void> {
  const made = path.join(root, 'src', 'definition', 'generated', 'workflow-validator.js');
  const schema = path.join(root, 'schema', 'workflow.schema.json');
  if (!existsSync(made) || statSync(made).mtimeMs < statSync(schema).mtimeMs) await generateValidators(root);
}
