import { basename, join } from 'node:path';
import type { Plugin } from 'esbuild';
import { bundleForCache, warmUp } from './common-js.ts';

/** Packages that most starts never use. */
const PACKAGES = [
  '@ai-sdk/amazon-bedrock',
  '@ai-sdk/anthropic',
  '@ai-sdk/mcp',
  '@ai-sdk/openai-compatible',
  '@marcbachmann/cel-js',
  'ajv',
  'cron',
  'ejs',
  'execa',
  'lilconfig',
  'minimatch',
  'pidusage',
  're2js',
  'semver',
  'tinyglobby',
  'tree-kill',
  'winston',
];

/** Import path → what its file exports. To an ES module, the default of a CommonJS file is all that it exports. */
const PARTS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(PACKAGES.map((name) => [name, `require('${name}')`])),
  './prompt-library.ts': "require('./src/wizard/prompt-library.ts')",
  './generated/workflow-validator.js': "require('./src/definition/generated/workflow-validator.js').default",
  './mcp-sdk.ts': "require('./src/cli/mcp/mcp-sdk.ts')",
  './generated/policy-validator.js': "require('./src/guard/policy/generated/policy-validator.js').default",
};

/** Builds a file of dist/parts/ for each: what is in a bundle is read and hashed at every start, used or not. */
export async function buildRareParts(root: string): Promise<void> {
  const codes: string[] = [];
  for (const [name, exported] of Object.entries(PARTS))
    codes.push(
      await bundleForCache(root, join(root, 'dist', 'parts', fileOf(name)), {
        stdin: {
          contents: `module.exports = ${exported};`,
          resolveDir: root,
          loader: 'js',
        },
      }),
    );
  await warmUp(codes);
}

/** Leaves those parts in their files; for bundles that lie one folder below dist/. */
export const leaveOutRareParts: Plugin = {
  name: 'leave-out-rare-parts',
  setup: (bundler) => {
    const filter = new RegExp(`^(${Object.keys(PARTS).join('|')})$`);
    bundler.onResolve({ filter }, ({ path }) => ({ path: `../parts/${fileOf(path)}`, external: true }));
  },
};

function fileOf(name: string): string {
  return `${basename(name).replace(/\.[jt]s$/, '')}.cjs`;
}
