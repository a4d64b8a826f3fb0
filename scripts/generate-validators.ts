/** usage: sh scripts/node scripts/generate-validators.ts — makes src/definition/generated/ from schema/. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv, type AnySchemaObject } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import { build } from 'esbuild';

/** Validator's export → the definition of the schema that it checks; null = the whole file. */
const VALIDATORS = {
  workflow: null,
  skill: 'skillStep',
  agent: 'agentStep',
  parallel: 'parallelStep',
  conditional: 'conditionalStep',
  loop: 'loopStep',
} as const;

const TYPES = `import type { ValidateFunction } from 'ajv';
${Object.keys(VALIDATORS)
  .map((name) => `export declare const ${name}: ValidateFunction;`)
  .join('\n')}
`;

/**
 * Writes the validators of workflow files as one ES module without imports: start-up pays for no schema compiler.
 * Inner steps are accepted as they are, because the loader checks every step with the validator of its type; so a
 * wrong step gives the errors of that type alone, and nesting costs no recursion.
 */
export async function generateValidators(root: string): Promise<void> {
  const schema = JSON.parse(
    readFileSync(join(root, 'schema/workflow.schema.json'), 'utf8'),
  ) as AnySchemaObject;
  const definitions = schema.definitions as Record<string, AnySchemaObject>;
  definitions.step = {};
  definitions.handlerName = { type: ['string', 'object'] };
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    allowUnionTypes: true,
    code: { source: true, esm: true },
  });
  ajv.addSchema(schema);
  const { $id } = schema;
  if ($id === undefined) throw new Error('the schema has no $id');
  const names = Object.entries(VALIDATORS).map(([name, definition]) => [
    name,
    definition === null ? $id : `${$id}#/definitions/${definition}`,
  ]);
  const code = standalone.default(ajv, Object.fromEntries(names) as Record<string, string>);
  const folder = join(root, 'src/definition/generated');
  mkdirSync(folder, { recursive: true });
  await build({
    stdin: { contents: code, resolveDir: root, sourcefile: 'workflow-validator.js' },
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minifySyntax: true,
    logLevel: 'warning',
    outfile: join(folder, 'workflow-validator.js'),
  });
  writeFileSync(join(folder, 'workflow-validator.d.ts'), TYPES);
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await generateValidators(join(dirname(fileURLToPath(import.meta.url)), '..'));
}
