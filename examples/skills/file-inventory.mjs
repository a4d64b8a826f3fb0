// Prints {files, lines, languages: [{name, files, lines}], large_files: [{file, lines}]} of the tracked files here.
import { spawnSync } from 'node:child_process';
import { lstatSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';

const limit = Number(process.env.SKILL_PARAM_large_file_lines ?? 300);
const names = {
  '.ts': 'TypeScript',
  '.mjs': 'JavaScript',
  '.js': 'JavaScript',
  '.json': 'JSON',
  '.md': 'Markdown',
  '': 'other',
};
const git = spawnSync('git', ['ls-files', '-z'], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
if (git.status !== 0) throw git.error ?? new Error(git.stderr.split('\n')[0]);
const tracked = git.stdout.split('\0').filter((file) => file !== '' && file !== 'package-lock.json');

const languages = new Map();
const large = [];
let files = 0;
let lines = 0;
for (const file of tracked) {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile()) continue;
  const count = readFileSync(file, 'latin1').split('\n').length - 1;
  const name = names[extname(file)] ?? 'other';
  const entry = languages.get(name) ?? { name, files: 0, lines: 0 };
  languages.set(name, { name, files: entry.files + 1, lines: entry.lines + count });
  if (count > limit && name !== 'other' && name !== 'JSON') large.push({ file, lines: count });
  files += 1;
  lines += count;
}

console.log(
  JSON.stringify({
    files,
    lines,
    languages: [...languages.values()].sort((a, b) => b.lines - a.lines),
    large_files: large.sort((a, b) => b.lines - a.lines),
  }),
);
