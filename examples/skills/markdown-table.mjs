// Writes a page with a table of rows that are objects. Prints {path, rows}.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const { path, title, note = '', rows, columns } = JSON.parse(readFileSync(0, 'utf8'));
const names = columns ?? [...new Set(rows.flatMap((row) => Object.keys(row)))];
const cell = (value) =>
  (value == null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value))
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ');
const line = (cells) => `| ${cells.join(' | ')} |`;
const table =
  rows.length === 0
    ? ['Nothing.']
    : [
        line(names),
        line(names.map(() => '---')),
        ...rows.map((row) => line(names.map((name) => cell(row[name])))),
      ];
mkdirSync(dirname(path), { recursive: true });
writeFileSync(path, [`# ${title}`, '', ...(note === '' ? [] : [note, '']), ...table, ''].join('\n'));
console.log(JSON.stringify({ path, rows: rows.length }));
