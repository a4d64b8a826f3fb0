import { join } from 'node:path';
import { bundleCommonJs, bundleForCache } from './common-js.ts';
import { leaveOutRareParts } from './rare-parts.ts';

/**
 * Builds the process of an instance: its start is on the path of every run. Linking ES modules, and those of Node
 * itself in particular, was a third of that start. Its code cache is made by the warm run.
 */
export async function buildInstance(root: string): Promise<void> {
  await bundleForCache(root, join(root, 'dist', 'instance', 'main.cjs'), {
    entryPoints: ['src/instance/main.ts'],
    plugins: [leaveOutRareParts],
  });
  // What runs inside the sandbox of an agent's tools: it needs nothing but itself.
  await bundleCommonJs(root, join(root, 'dist', 'runner', 'main.cjs'), {
    entryPoints: ['src/agents/runner/main.ts'],
  });
}
