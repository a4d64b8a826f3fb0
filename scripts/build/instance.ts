import { join } from 'node:path';
import { bundleCommonJs } from './common-js.ts';

/**
 * Builds the process of an instance: its start is on the path of every run. Linking ES modules, and those of Node
 * itself in particular, was a third of that start.
 */
export async function buildInstance(root: string): Promise<void> {
  await bundleCommonJs(root, join(root, 'dist', 'instance', 'main.cjs'), {
    entryPoints: ['src/instance/main.ts'],
  });
}
