import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Hook } from '@oclif/core';
import { handOver } from '../plugin/hand-over.ts';

const OLDEST_NODE = 24;

/**
 * As a plugin of a host that runs under an older Node: commands of ours run under the Node that was installed with this
 * package, in a process of their own. Where there is none, `find-node` says what to do.
 */
export const useOurNode: Hook.Init = async ({ id, argv, config }) => {
  const words = (id ?? '').split(':');
  if (words[0] !== 'workflow' || Number(process.versions.node.split('.')[0]) >= OLDEST_NODE) return;
  const root = config.plugins.get('q-workflow')?.root;
  if (root === undefined) return;
  const found = spawnSync('sh', [join(root, 'bin', 'find-node'), root], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (found.status !== 0) process.exit(found.status ?? 127);
  const main = join(root, 'dist', 'cli', 'main.cjs');
  // Not by context.exit: oclif would take an exit with 0 for nothing, and go on to the command.
  process.exit(await handOver(found.stdout.trim(), ['--no-warnings', main, config.bin, ...words, ...argv]));
};
