import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';

/** CommonJS packages that are imported with `import()` and by name. Whoever takes only the default needs no entry. */
const PACKAGES = ['ajv'];
const NAMESPACE = 'named-exports';

/**
 * Gives `import('package')` its named exports in a bundle of ES modules. Node finds them in the text of a CommonJS
 * package; esbuild has the default alone, so what works from the sources would be undefined when built.
 */
export function namedExports(root: string): Plugin {
  const require = createRequire(join(root, 'package.json'));
  return {
    name: 'named-exports',
    setup: (bundler) => {
      bundler.onResolve({ filter: new RegExp(`^(${PACKAGES.join('|')})$`) }, ({ path, kind }) =>
        kind === 'dynamic-import' ? { path, namespace: NAMESPACE } : undefined,
      );
      bundler.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => {
        const names = Object.keys(require(path) as object).filter((name) => name !== 'default');
        const from = JSON.stringify(path);
        const contents = `export { default } from ${from};\nexport { ${names.join(', ')} } from ${from};`;
        return { contents, loader: 'js', resolveDir: root };
      });
    },
  };
}
