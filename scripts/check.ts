/** usage: sh scripts/node scripts/check.ts   rules that no other tool checks; one line a finding, exit 1 on any */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/protocol/install.ts';
import { checkImports } from './check/import-directions.ts';
import { checkKernelFiles, checkLengths } from './check/module-rules.ts';
import { type Finding, readSources } from './check/sources.ts';
import { ERROR_DOCS, errorDocs } from './generate-error-docs.ts';
import { builtManPage, MAN_PAGE } from './generate-man-page.ts';

function checkErrorDocs(root: string): Finding[] {
  const file = join(root, ERROR_DOCS);
  if (existsSync(file) && readFileSync(file, 'utf8') === errorDocs()) return [];
  const message = 'is not what src/errors/table.ts says; run sh scripts/node scripts/generate-error-docs.ts';
  return [{ file: ERROR_DOCS, message }];
}

function checkManPage(root: string): Finding[] {
  const file = join(root, MAN_PAGE);
  if (!existsSync(join(root, 'oclif.manifest.json')))
    return [{ file: MAN_PAGE, message: 'cannot be compared: run npm run build' }];
  if (existsSync(file) && readFileSync(file, 'utf8') === builtManPage(root)) return [];
  const message = 'is not what the built commands say; run sh scripts/node scripts/generate-man-page.ts';
  return [{ file: MAN_PAGE, message }];
}

const root = packageRoot();
const sources = readSources(root);
const findings = [
  ...checkImports(sources),
  ...checkLengths(sources),
  ...checkKernelFiles(sources),
  ...checkErrorDocs(root),
  ...checkManPage(root),
];
for (const { file, message } of findings) process.stdout.write(`${file}: ${message}\n`);
if (findings.length > 0) process.exitCode = 1;
else process.stdout.write(`check: ${sources.length} modules, nothing found\n`);
