import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One line that a person can act on: where, and what is wrong. */
export interface Finding {
  readonly file: string;
  readonly message: string;
}

export interface Source {
  /** Path from the root of the project. */
  readonly file: string;
  readonly text: string;
  readonly lines: number;
}

/** Every module of the product (not tests and scripts). */
export function readSources(root: string): Source[] {
  return globSync('{src,commands,sandbox}/**/*.ts', { cwd: root })
    .filter((file) => !file.includes('/generated/'))
    .sort()
    .map((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      return { file, text, lines: text.split('\n').length - 1 };
    });
}
