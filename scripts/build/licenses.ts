import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Lock {
  readonly packages: Readonly<Record<string, { version?: string; license?: string; dev?: boolean }>>;
}

/**
 * Writes `dist/THIRD-PARTY-LICENSES.txt`: our files hold code of these packages, whose licenses ask that their text goes
 * along. All that a program of ours may load is named, but for Node, which is a package apart with a license of its own.
 */
export function writeLicenses(root: string): void {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const parts = Object.entries(packages)
    .filter(([folder, { dev }]) => dev !== true && NOT_OURS.test(folder) && existsSync(join(root, folder)))
    .map(([folder, { version = '', license = 'no license named' }]) => {
      const name = folder.replace(/^.*node_modules\//, '');
      return `${name} ${version} (${license})\n\n${textsIn(join(root, folder))}`;
    });
  const rule = `\n${'-'.repeat(78)}\n\n`;
  writeFileSync(
    join(root, 'dist', 'THIRD-PARTY-LICENSES.txt'),
    `q-workflow is under the license in LICENSE. It comes with code of these packages:\n${rule}${parts.join(rule)}`,
  );
}

const NOT_OURS = /node_modules\/(?!node-linux-)/;

function textsIn(folder: string): string {
  const files = globSync(['{LICENSE,LICENCE,License,license,COPYING,NOTICE}*'], { cwd: folder }).sort();
  if (files.length === 0) return 'The package comes without the text of its license.\n';
  return files.map((file) => `${readFileSync(join(folder, file), 'utf8').trim()}\n`).join('\n');
}
