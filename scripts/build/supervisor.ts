import { join } from 'node:path';
import { bundleCommonJs } from './common-js.ts';
import { leaveOutRareParts } from './rare-parts.ts';

/** What the daemon runs: itself, and the threads that have the database. */
const PROGRAMS = {
  'supervisor/main': 'src/supervisor/main.ts',
  'store/writer-thread': 'src/store/writer-thread.ts',
  'store/backup-thread': 'src/store/backup-thread.ts',
} as const;

/** One file each: of ES modules Node keeps the text and the links of each for as long as the daemon runs. */
export async function buildSupervisor(root: string): Promise<void> {
  for (const [name, entry] of Object.entries(PROGRAMS))
    await bundleCommonJs(root, join(root, 'dist', `${name}.cjs`), {
      entryPoints: [entry],
      plugins: [leaveOutRareParts],
    });
}
