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

/** Programs that are one file, and where it is. */
const BUNDLES: Partial<Readonly<Record<ProgramName, string>>> = {
  'instance/main': 'instance/main.cjs',
  // In a folder of its own: all of the folder is seen in the sandbox.
  'agents/runner/main': 'runner/main.cjs',
};

/** The file to run for a program part such as `supervisor/main`: from dist/ in a build, from src/ in tests. */
export function programFile(name: ProgramName): string {
  const root = packageRoot();
  if (isSource) return join(root, 'src', `${name}.ts`);
  return BUNDLES[name] === undefined
    ? join(root, 'dist/src', `${name}.js`)
    : join(root, 'dist', BUNDLES[name]);
}
