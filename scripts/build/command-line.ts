/** Builds what the bins run: every command in one CommonJS file, evaluated module by module as it is needed. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { bundleCommonJs, bundleForCache } from './common-js.ts';
import { leaveOutRareParts } from './rare-parts.ts';

/**
 * What oclif asks for at its start and uses in rare cases only (help, a plugin without a manifest, a version check).
 * Each is replaced by a stand-in that loads it at the first use.
 */
const RARELY_USED = [
  'ejs',
  'lilconfig',
  'minimatch',
  'semver',
  'tinyglobby',
  'node:child_process',
  'node:crypto',
  'node:fs/promises',
  'node:perf_hooks',
  'node:readline',
];

/**
 * The commands go into one file; dist/commands stays for other oclif hosts. Measured by the benchmark `list`. Its code cache
 * is made by the warm run.
 */
export async function buildCommandLine(root: string): Promise<void> {
  const commands = globSync('commands/**/*.ts', { cwd: root }).sort();
  const loaders = commands.map((file) => `  ${JSON.stringify(idOf(file))}: () => import('./${file}'),`);
  await bundleForCache(root, join(root, 'dist', 'cli', 'command-line.cjs'), {
    stdin: {
      contents: `import { runCli } from './src/cli/run-cli.ts';\nvoid runCli({\n${loaders.join('\n')}\n});\n`,
      resolveDir: root,
      sourcefile: 'command-line.ts',
      loader: 'ts',
    },
    // The first that answers counts.
    plugins: [
      readAtOnce,
      leaveOutWslProbe,
      leaveOutSpinner,
      debugWhenAsked,
      sortByCode,
      loadAtFirstUse(RARELY_USED),
      leaveOutRareParts,
    ],
  });
  await bundleCommonJs(root, join(root, 'dist', 'cli', 'main.cjs'), {
    entryPoints: ['src/cli/main.ts'],
    external: ['./command-line.cjs', './completion.cjs'],
  });
  await bundleCommonJs(root, join(root, 'dist', 'cli', 'completion.cjs'), {
    entryPoints: ['src/cli/completion/main.ts'],
    plugins: [leaveOutRareParts],
  });
}

/** commands/workflow/supervisor/start.ts → workflow:supervisor:start, as oclif names it. */
function idOf(file: string): string {
  return file
    .replace(/^commands\//, '')
    .replace(/\.ts$/, '')
    .replaceAll('/', ':');
}

/** oclif names its platform "wsl" after reading several files; nothing of ours asks for the platform. */
const leaveOutWslProbe: Plugin = {
  name: 'leave-out-wsl-probe',
  setup: (bundler) => {
    bundler.onResolve({ filter: /^wsl-utils$/ }, ({ path }) => ({ path, namespace: 'no-wsl' }));
    bundler.onLoad({ filter: /.*/, namespace: 'no-wsl' }, () => ({
      contents: 'exports.isWsl = false;',
      loader: 'js',
    }));
  },
};

/** Nothing of ours shows oclif's spinner; its table of animations takes 3 of 105 ms. */
const leaveOutSpinner: Plugin = {
  name: 'leave-out-spinner',
  setup: (bundler) => {
    bundler.onResolve({ filter: /^\.\/action\/spinner$/ }, ({ resolveDir }) => ({
      path: join(resolveDir, 'action', 'simple.js'),
    }));
  },
};

/** What oclif logs goes to `debug`, which looks at the terminal first (4 ms): only where DEBUG asks for it. */
const debugWhenAsked: Plugin = {
  name: 'debug-when-asked',
  setup: (bundler) => {
    bundler.onResolve({ filter: /^debug$/, namespace: 'file' }, ({ resolveDir }) => ({
      path: 'debug',
      namespace: 'when-asked',
      pluginData: { resolveDir },
    }));
    bundler.onLoad({ filter: /.*/, namespace: 'when-asked' }, ({ pluginData }) => ({
      contents: `module.exports = process.env.DEBUG ? require('debug') : () => () => undefined;`,
      resolveDir: pluginData.resolveDir,
      loader: 'js',
    }));
  },
};

/** oclif sorts ids of commands by the rules of a language, for which V8 loads 14 ms of tables; ids are plain letters. */
const sortByCode: Plugin = {
  name: 'sort-by-code',
  setup: (bundler) => {
    bundler.onLoad({ filter: /@oclif\/core\/lib\/config\/plugin\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const plain = text.replace('a.id.localeCompare(b.id)', '(a.id < b.id ? -1 : 1)');
      if (plain === text) throw new Error(`${path} does not sort as it did: look at sortByCode again`);
      return { contents: plain, loader: 'js' };
    });
  },
};

/** oclif reads its few small files through the thread pool, five hops each; read at once they cost less than one. */
const readAtOnce: Plugin = {
  name: 'read-at-once',
  setup: (bundler) => {
    bundler.onResolve({ filter: /^node:fs\/promises$/ }, ({ path, importer }) =>
      importer.endsWith('@oclif/core/lib/util/fs.js') ? { path, namespace: 'at-once' } : null,
    );
    bundler.onLoad({ filter: /.*/, namespace: 'at-once' }, () => ({
      contents: `const { readFileSync, statSync } = require('node:fs');
exports.readFile = async (...given) => readFileSync(...given);
exports.stat = async (...given) => statSync(...given);`,
      loader: 'js',
    }));
  },
};

/** Gives CommonJS packages a proxy in the place of a module: whoever asks for a member loads the module then. */
function loadAtFirstUse(names: readonly string[]): Plugin {
  const filter = new RegExp(`^(${names.join('|')})$`);
  return {
    name: 'load-at-first-use',
    setup: (bundler) => {
      bundler.onResolve({ filter, namespace: 'file' }, ({ path, resolveDir, importer }) =>
        importer.includes('node_modules')
          ? { path, namespace: 'stand-in', pluginData: { resolveDir } }
          : null,
      );
      bundler.onLoad({ filter: /.*/, namespace: 'stand-in' }, ({ path, pluginData }) => ({
        contents: `let real; const load = () => (real ??= require(${JSON.stringify(path)}));
module.exports = new Proxy({}, { get: (_, name) => (name === '__esModule' ? false : load()[name]) });`,
        resolveDir: pluginData.resolveDir,
        loader: 'js',
      }));
    },
  };
}
