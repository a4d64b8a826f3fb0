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

/** The file to run for a program part such as `supervisor/main`: from dist/ in a build, from src/ in tests. */
export function programFile(name: 'supervisor/main' | 'instance/main' | 'store/writer-thread'): string {
  const root = packageRoot();
  if (isSource) return join(root, 'src', `${name}.ts`);
  return name === 'instance/main'
    ? join(root, 'dist/instance/main.cjs')
    : join(root, 'dist/src', `${name}.js`);
}
