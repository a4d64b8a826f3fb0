/** Imported first by tests that load workflows: the validators are there and not older than what they are made of. */
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemCode } from '../../src/errors/workflow-error.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const SOURCES = ['schema/workflow.schema.json', 'scripts/generate-validators.ts'];
const MADE = [
  'src/definition/generated/workflow-validator.js',
  'src/definition/generated/workflow-validator.d.ts',
];

function modifiedAt(file: string): number {
  try {
    return statSync(join(root, file)).mtimeMs;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

if (Math.min(...MADE.map(modifiedAt)) < Math.max(...SOURCES.map(modifiedAt))) {
  const { generateValidators } = await import('../../scripts/generate-validators.ts');
  await generateValidators(root);
}
