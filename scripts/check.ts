/** usage: sh scripts/node scripts/check.ts   rules that no other tool checks; one line a finding, exit 1 on any */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/protocol/install.ts';
import { checkCycles } from './check/import-cycles.ts';
import { checkImports } from './check/import-directions.ts';
import { checkKernelFiles, checkLengths } from './check/module-rules.ts';
import { type Finding, readSources } from './check/sources.ts';
import { CLI_DOCS, cliDocs } from './generate-cli-docs.ts';
import { ERROR_DOCS, errorDocs } from './generate-error-docs.ts';
import { builtManPage, MAN_PAGE } from './generate-man-page.ts';

/** A file that a script writes; those about commands are compared with the manifest of the last build. */
interface Generated {
  readonly file: string;
  readonly script: string;
  readonly text: (root: string) => string;
}

const GENERATED: readonly Generated[] = [
  { file: ERROR_DOCS, script: 'generate-error-docs', text: errorDocs },
  { file: CLI_DOCS, script: 'generate-cli-docs', text: cliDocs },
  { file: MAN_PAGE, script: 'generate-man-page', text: builtManPage },
];

function checkGenerated(root: string): Finding[] {
  if (!existsSync(join(root, 'oclif.manifest.json')))
    return [{ file: 'oclif.manifest.json', message: 'is not there to compare with; run npm run build' }];
  return GENERATED.filter(({ file, text }) => {
    const written = join(root, file);
    return !existsSync(written) || readFileSync(written, 'utf8') !== text(root);
  }).map(({ file, script }) => ({
    file,
    message: `is not what it is made of; run npm run build and sh scripts/node scripts/${script}.ts`,
  }));
}

const root = packageRoot();
const sources = readSources(root);
const findings = [
  ...checkImports(sources),
  ...checkCycles(sources),
  ...checkLengths(sources),
  ...checkKernelFiles(sources),
  ...checkGenerated(root),
];
for (const { file, message } of findings) process.stdout.write(`${file}: ${message}\n`);
if (findings.length > 0) process.exitCode = 1;
else process.stdout.write(`check: ${sources.length} modules, nothing found\n`);
