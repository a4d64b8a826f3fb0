/** usage: sh scripts/node scripts/build.ts — makes dist/: the commands, the two bins' code and the daemons. */
import { globSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildCommandLine } from './build/command-line.ts';
import { buildInstance } from './build/instance.ts';
import { writeLicenses } from './build/licenses.ts';
import { writeManifest } from './build/manifest.ts';
import { namedExports } from './build/named-exports.ts';
import { buildRareParts } from './build/rare-parts.ts';
import { buildSupervisor } from './build/supervisor.ts';
import { warmRun } from './build/warm-run.ts';
import { generateValidators } from './generate-validators.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');

const shared = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  legalComments: 'none',
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: 'warning',
  // Packages in CommonJS call require for Node's own modules; an ES module has none of its own.
  banner: {
    js: "import{createRequire as makeRequire}from'node:module';const require=makeRequire(import.meta.url);",
  },
} as const;

async function main(): Promise<void> {
  await generateValidators(root);
  rmSync(dist, { recursive: true, force: true });
  await build({
    ...shared,
    splitting: true,
    plugins: [namedExports(root)],
    outdir: dist,
    outbase: root,
    // What other oclif hosts load: the commands, and the hooks that package.json names.
    entryPoints: globSync(['commands/**/*.ts', 'src/cli/hooks/*.ts'], { cwd: root }),
    entryNames: '[dir]/[name]',
    chunkNames: 'chunks/[name]-[hash]',
  });
  await buildRareParts(root);
  await buildSupervisor(root);
  await buildInstance(root);
  writeLicenses(root);
  await writeManifest(root);
  await buildCommandLine(root);
  await warmRun(root);
}

await main();
