/**
 * usage: sh scripts/node scripts/test.ts unit|proc|soak [file part …]
 * unit: everything that starts no process, in parallel. proc: real processes and cgroups, one file at a time.
 * soak: the process tests with every crash point instead of a sample.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { generateValidators } from './generate-validators.ts';

const [kind = 'unit', ...parts] = process.argv.slice(2);
const root = join(import.meta.dirname, '..');
const isProcess = kind !== 'unit';
const isSoak = kind === 'soak';
/** Of one test; a soak is one that lasts as long as it lasts. */
const TEST_TIMEOUT_MS = isSoak ? 86_400_000 : 300_000;
const files = globSync('test/**/*.test.ts', { cwd: root })
  .filter((file) => file.endsWith('.proc.test.ts') === isProcess)
  .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
  .sort();
if (files.length === 0) {
  process.stderr.write(`no ${kind} test matches ${parts.join(' ')}\n`);
  process.exit(1);
}
await generateValidators(root);
const { status } = spawnSync(
  process.execPath,
  [
    '--no-warnings',
    '--import',
    './test/setup/exit-watch.ts',
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${isProcess ? 1 : 2}`,
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    ...files,
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...(isSoak ? { Q_TEST_SOAK: '1', Q_TEST_FILE_LIMIT_S: '86400' } : {}) },
  },
);
process.exit(status ?? 1);
