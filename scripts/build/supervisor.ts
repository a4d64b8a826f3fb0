import { join } from 'node:path';
import { bundleCommonJs, bundleForCache } from './common-js.ts';
import { leaveOutRareParts } from './rare-parts.ts';

const plugins = [leaveOutRareParts];

/**
 * What the daemon runs: itself, and the threads that have the database. One file each: of ES modules Node keeps the text
 * and the links of each for as long as the daemon runs. The warm run makes the code caches.
 */
export async function buildSupervisor(root: string): Promise<void> {
  await bundleForCache(root, join(root, 'dist', 'supervisor', 'main.cjs'), {
    entryPoints: ['src/supervisor/main.ts'],
    plugins,
  });
  await bundleForCache(root, join(root, 'dist', 'store', 'writer-thread.cjs'), {
    entryPoints: ['src/store/writer-thread.ts'],
    plugins,
  });
  // Once a day.
  await bundleCommonJs(root, join(root, 'dist', 'store', 'backup-thread.cjs'), {
    entryPoints: ['src/store/backup-thread.ts'],
    plugins,
  });
}
