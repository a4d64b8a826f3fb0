/** usage: sh scripts/node scripts/check.ts   rules that no other tool checks; one line a finding, exit 1 on any */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/protocol/install.ts';
import { checkImports } from './check/import-directions.ts';
import { checkKernelFiles, checkLengths } from './check/module-rules.ts';
import { type Finding, readSources } from './check/sources.ts';
import { CLI_DOCS, cliDocs } from './generate-cli-docs.ts';
import { ERROR_DOCS, errorDocs } from './generate-error-docs.ts';

function checkErrorDocs(root: string): Finding[] {
  const file = join(root, ERROR_DOCS);
  if (existsSync(file) && readFileSync(file, 'utf8') === errorDocs()) return [];
  const message = 'is not what src/errors/table.ts says; run sh scripts/node scripts/generate-error-docs.ts';
  return [{ file: ERROR_DOCS, message }];
}

/** Against the manifest of the last build: commands that were changed since are seen after the next one. */
function checkCliDocs(root: string): Finding[] {
  const [manifest, page] = [join(root, 'oclif.manifest.json'), join(root, CLI_DOCS)];
  if (!existsSync(manifest)) return [{ file: CLI_DOCS, message: 'cannot be checked before npm run build' }];
  if (existsSync(page) && readFileSync(page, 'utf8') === cliDocs(root)) return [];
  const message =
    'is not what the commands say; run npm run build and sh scripts/node scripts/generate-cli-docs.ts';
  return [{ file: CLI_DOCS, message }];
}

const root = packageRoot();
const sources = readSources(root);
const findings = [
  ...checkImports(sources),
  ...checkLengths(sources),
  ...checkKernelFiles(sources),
  ...checkErrorDocs(root),
  ...checkCliDocs(root),
];
for (const { file, message } of findings) process.stdout.write(`${file}: ${message}\n`);
if (findings.length > 0) process.exitCode = 1;
else process.stdout.write(`check: ${sources.length} modules, nothing found\n`);
