/**
 * usage: sh scripts/node scripts/generate-validators.ts   writes the validators of VALIDATORS
 *
 * The schemas are compiled here so that no command pays for ajv at run time (35 ms to load, 44 ms to compile).
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

const DECLARATION = `import type { ErrorObject } from 'ajv';
declare const validate: { (data: unknown): boolean; errors?: ErrorObject[] | null };
export default validate;
`;

/** Schema → the module that checks values against it. */
const VALIDATORS = {
  'schema/workflow.schema.json': 'src/definition/generated/workflow-validator',
  'policies/policy.schema.json': 'src/guard/policy/generated/policy-validator',
} as const;

/** Writes the validators below `root`. Safe to call twice at once: files are replaced by rename. */
export async function generateValidators(root: string): Promise<void> {
  for (const [schema, module] of Object.entries(VALIDATORS))
    await generateValidator(path.join(root, schema), path.join(root, module));
}

async function generateValidator(schema: string, module: string): Promise<void> {
  const { Ajv } = await import('ajv');
  const standalone = (await import('ajv/dist/standalone/index.js')).default;
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    discriminator: true,
    strict: true,
    strictRequired: false,
    code: { source: true, esm: true, lines: true },
  });
  const validate = ajv.compile(JSON.parse(await readFile(schema, 'utf8')));
  await mkdir(path.dirname(module), { recursive: true });
  await replace(`${module}.js`, toModule(standalone.default(ajv, validate)));
  await replace(`${module}.d.ts`, DECLARATION);
}

/** ajv's ESM code still asks for its helpers by require: ESM bundlers would keep that call. */
function toModule(code: string): string {
  const imports: string[] = [];
  const body = code.replace(/require\(("[^"]+")\)\.default/g, (_, file: string) => {
    const name = `helper${imports.length}`;
    imports.push(`import ${name} from ${file.replace(/"$/, '.js"')};`);
    return `${name}.default`;
  });
  if (body.includes('require(')) throw new Error('the generated validator still calls require');
  return `${imports.join('\n')}\n${body}`;
}

async function replace(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, text);
  await rename(temporary, file);
}

if (import.meta.main) await generateValidators(path.join(import.meta.dirname, '..'));
