import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const isSource = import.meta.filename.endsWith('.ts');

/** The folder of the installed package: the nearest one above this file that holds package.json. */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`no package.json above ${import.meta.dirname}`);
    folder = parent;
  }
  return folder;
}

type ProgramName =
  | 'supervisor/main'
  | 'instance/main'
  | 'store/writer-thread'
  | 'store/backup-thread'
  | 'agents/runner/main';

/** Programs whose file in dist/ is not named as they are. */
const FILES: Partial<Readonly<Record<ProgramName, string>>> = {
  // In a folder of its own: all of the folder is seen in the sandbox.
  'agents/runner/main': 'runner/main',
};

/** The file to run for a program part such as `supervisor/main`: from dist/ in a build, from src/ in tests. */
export function programFile(name: ProgramName): string {
  return isSource
    ? join(packageRoot(), 'src', `${name}.ts`)
    : join(packageRoot(), 'dist', `${FILES[name] ?? name}.cjs`);
}
