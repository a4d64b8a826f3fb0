import { join } from 'node:path';
import { bundleCommonJs, bundleForCache, warmUp } from './common-js.ts';
import { leaveOutRareParts } from './rare-parts.ts';

/**
 * Builds the process of an instance: its start is on the path of every run. Linking ES modules, and those of Node
 * itself in particular, was a third of that start.
 */
export async function buildInstance(root: string): Promise<void> {
  const code = await bundleForCache(root, join(root, 'dist', 'instance', 'main.cjs'), {
    entryPoints: ['src/instance/main.ts'],
    plugins: [leaveOutRareParts],
  });
  // It ends at once, for want of a bootstrap; its modules have run then.
  await warmUp([code]).catch(() => undefined);
  // What runs inside the sandbox of an agent's tools: it needs nothing but itself.
  await bundleCommonJs(root, join(root, 'dist', 'runner', 'main.cjs'), {
    entryPoints: ['src/agents/runner/main.ts'],
  });
}
