// Reads {output, history, files, remarks} on stdin, writes a Markdown report, prints {path, lines}.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';

const { output, history, files, remarks = [] } = JSON.parse(readFileSync(0, 'utf8'));
const day = (iso) => iso.slice(0, 10);
const most = Math.max(1, ...history.weeks.map((week) => week.commits));
const bar = (count) => '█'.repeat(Math.round((count / most) * 30));
const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;
const row = (...cells) => `| ${cells.join(' | ')} |`;

const text = [
  `# ${basename(process.cwd())}: a report`,
  '',
  `${count(history.commits, 'commit', 'commits')} by ${count(history.authors.length, 'person', 'people')} from ${day(history.first)} to ${day(history.last)};`,
  `${count(files.files, 'file', 'files')} with ${count(files.lines, 'line', 'lines')}.`,
  '',
  ...remarks.map((remark) => `- ${remark}`),
  '',
  '## Activity by week',
  '',
  '```',
  ...history.weeks.map((week) => `${week.week}  ${String(week.commits).padStart(4)}  ${bar(week.commits)}`),
  '```',
  '',
  '## Languages',
  '',
  row('language', 'files', 'lines'),
  row('---', '---:', '---:'),
  ...files.languages.map((language) => row(language.name, language.files, language.lines)),
  '',
  '## Files that change most',
  '',
  row('file', 'changes'),
  row('---', '---:'),
  ...history.busiest.map((entry) => row(`\`${entry.file}\``, entry.changes)),
  '',
  ...(files.large_files.length === 0
    ? []
    : [
        '## Large files',
        '',
        row('file', 'lines'),
        row('---', '---:'),
        ...files.large_files.slice(0, 15).map((file) => row(`\`${file.file}\``, file.lines)),
        '',
      ]),
  '## People',
  '',
  row('name', 'commits'),
  row('---', '---:'),
  ...history.authors.slice(0, 15).map((author) => row(author.name, author.commits)),
  '',
].join('\n');

writeFileSync(output, text);
console.log(JSON.stringify({ path: resolve(output), lines: text.split('\n').length - 1 }));
