/**
 * Answers the scripts of `completion`: `q workflow __complete <shell> -- <words>`. An entry of its own, so that a key
 * press loads neither the command line nor oclif.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { callerHere } from '../../client/caller.ts';
import { locateHome } from '../../protocol/home.ts';
import { packageRoot } from '../../protocol/install.ts';
import { complete, type Shell } from './complete.ts';
import type { Commands, ManifestCommand } from './request.ts';
import { openSources } from './sources.ts';

const SHELLS: readonly string[] = ['bash', 'zsh', 'fish'] satisfies Shell[];

async function answer(argv: readonly string[]): Promise<void> {
  const at = argv.indexOf('__complete');
  const shell = argv[at + 1] ?? '';
  if (!SHELLS.includes(shell)) return;
  const words = argv.slice(at + 3);
  const file = join(packageRoot(), 'oclif.manifest.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as { commands: Record<string, ManifestCommand> };
  const commands: Commands = new Map(
    Object.entries(manifest.commands).map(([id, command]) => [
      id.replace(/^workflow:/, '').replaceAll(':', ' '),
      command,
    ]),
  );
  const sources = openSources(locateHome(), callerHere());
  process.stdout.write(await complete(shell as Shell, words, commands, sources));
}

answer(process.argv).catch(() => {
  // In the middle of a line no message could be shown; the shell offers nothing.
  process.exitCode = 1;
});
