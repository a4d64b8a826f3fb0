import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../setup/bench-home.ts';
import { blocksOf } from '../setup/doc-commands.ts';

const { commands } = JSON.parse(readFileSync(join(ROOT, 'oclif.manifest.json'), 'utf8')) as {
  commands: Record<string, { flags: Record<string, { char?: string }> }>;
};
const topics = new Set(
  Object.keys(commands).flatMap((id) =>
    id
      .split(':')
      .slice(0, -1)
      .map((_, index, all) => all.slice(0, index + 1).join(':')),
  ),
);

/** It needs the manifest of the build, so it is no unit test. */
test('every command and flag in the pages exists', () => {
  const pages = ['README.md', 'examples/README.md', ...globSync('docs/**/*.md', { cwd: ROOT })];
  const wrong: string[] = [];
  let count = 0;
  for (const page of pages) {
    const text = readFileSync(join(ROOT, page), 'utf8');
    for (const line of commandLines(text)) {
      count += 1;
      const problem = problemOf(line);
      if (problem !== null) wrong.push(`${page}: ${line}: ${problem}`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(count > 150, `only ${count} command lines were found`);
});

test('a command and a flag that do not exist would be found', () => {
  assert.equal(problemOf('q workflow rn x'), 'there is no such command');
  assert.equal(problemOf('q workflow run x --inptu a=1'), 'there is no flag --inptu');
  assert.equal(problemOf('q workflow run x --input a=1 -d'), null);
  assert.equal(problemOf('q workflow run x -z'), 'there is no flag -z');
  assert.equal(problemOf('q workflow supervisor'), null);
});

/** In blocks and in `code`, from the name of the program to the end of the simple command. */
function commandLines(page: string): string[] {
  const inline = [...page.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(
    ([, code = '']) => code,
  );
  const blocks = blocksOf(page).filter(({ language }) => ['sh', 'console'].includes(language));
  return [...inline, ...blocks.flatMap(({ lines }) => lines)].flatMap((text) =>
    [...text.matchAll(/(?<![\w/.-])(?:\.\/bin\/)?q workflow(?: [^;&|#)]*)?/g)].map(([line]) => line.trim()),
  );
}

function problemOf(line: string): string | null {
  const words = withoutQuoted(line).split(/\s+/).slice(2);
  const command = words.findIndex((word) => !/^[a-z-]+$/.test(word) || word.startsWith('-'));
  const leading = command === -1 ? words : words.slice(0, command);
  if (leading.length === 0) return null;
  for (let count = leading.length; count > 0; count -= 1) {
    const id = ['workflow', ...leading.slice(0, count)].join(':');
    const found = commands[id];
    if (found !== undefined) return flagProblem(words.slice(count), found.flags);
    if (topics.has(id)) return count === leading.length ? null : 'there is no such command';
  }
  return 'there is no such command';
}

function flagProblem(words: readonly string[], flags: Record<string, { char?: string }>): string | null {
  const chars = Object.values(flags).map(({ char }) => `-${char}`);
  for (const word of words) {
    const [flag = ''] = /^--[a-z][a-z-]*|^-[a-zA-Z](?![\w=])/.exec(word) ?? [];
    if (flag === '' || flag === '--help' || chars.includes(flag)) continue;
    if (flags[flag.slice(2)] === undefined || !flag.startsWith('--')) return `there is no flag ${flag}`;
  }
  return null;
}

function withoutQuoted(line: string): string {
  return line.replace(/'[^']*'|"[^"]*"/g, 'QUOTED');
}
