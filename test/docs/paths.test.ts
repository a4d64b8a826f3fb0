import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..', '..');
/** Pages name files from the top of the project, or from src/. */
const BASES = ['', 'src'];

function missingIn(text: string): string[] {
  return [...text.matchAll(/`((?:[a-z0-9-]+\/)+[a-z0-9.-]+\.(?:ts|mjs))`/g)]
    .map(([, path = '']) => path)
    .filter((path) => !BASES.some((base) => existsSync(join(ROOT, base, path))));
}

test('every source file that a page names is there', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: ROOT })];
  const missing = pages.flatMap((page) =>
    missingIn(readFileSync(join(ROOT, page), 'utf8')).map((path) => `${page}: ${path}`),
  );
  assert.deepEqual(missing, []);
});

test('one that is not there would be found', () => {
  assert.deepEqual(missingIn('`src/no/such.ts` and `supervisor/main.ts`'), ['src/no/such.ts']);
});
