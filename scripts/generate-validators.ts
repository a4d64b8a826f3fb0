/**
 * usage: sh scripts/node scripts/generate-validators.ts   writes src/definition/generated/workflow-validator.js
 *
 * The schema is compiled here so that no command pays for ajv at run time (35 ms to load, 44 ms to compile).
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

const DECLARATION = `import type { ErrorObject } from 'ajv';
declare const validate: { (data: unknown): boolean; errors?: ErrorObject[] | null };
export default validate;
`;

/** Writes the validators below `root`. Safe to call twice at once: files are replaced by rename. */
export async function generateValidators(root: string): Promise<void> {
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
  const text = await readFile(path.join(root, 'schema', 'workflow.schema.json'), 'utf8');
  const validate = ajv.compile(JSON.parse(text));
  const folder = path.join(root, 'src', 'definition', 'generated');
  await mkdir(folder, { recursive: true });
  await replace(path.join(folder, 'workflow-validator.js'), toModule(standalone.default(ajv, validate)));
  await replace(path.join(folder, 'workflow-validator.d.ts'), DECLARATION);
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
