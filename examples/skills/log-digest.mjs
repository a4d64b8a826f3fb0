// Prints {lines, errors, groups: [{message, count, first, last, line}]}: errors alike but for numbers and ids are one group.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

const { SKILL_PARAM_file: file, SKILL_PARAM_top: top = '10' } = process.env;
const groups = new Map();
let lines = 0;
let errors = 0;
for await (const text of createInterface({
  input: createReadStream(file),
  crlfDelay: Number.POSITIVE_INFINITY,
})) {
  lines += 1;
  const found = /^(\S+)\s+.*?\b(ERROR|FATAL)\b\s*(.*)$/.exec(text);
  if (found === null) continue;
  errors += 1;
  const [, at, , message] = found;
  const alike = message.replace(/[0-9a-f]{8,}|\d+/g, '#').slice(0, 200);
  const group = groups.get(alike) ?? { message: alike, count: 0, first: at, line: lines };
  groups.set(alike, { ...group, count: group.count + 1, last: at });
}
const worst = [...groups.values()].sort((a, b) => b.count - a.count).slice(0, Number(top));
console.log(JSON.stringify({ lines, errors, groups: worst }));
