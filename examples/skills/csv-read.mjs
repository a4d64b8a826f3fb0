// Reads a CSV file with a header line. Prints {rows, rejected: [{line, problem}]}: rows as objects, numbers as numbers.
import { readFileSync } from 'node:fs';

const { file, numbers = [], required = [] } = JSON.parse(readFileSync(0, 'utf8'));

/** RFC 4180: quoted fields may hold commas, line ends and doubled quotes. */
function parse(text) {
  const records = [];
  let record = { line: 1, fields: [''] };
  let quoted = false;
  let line = 1;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    const last = record.fields.length - 1;
    if (letter === '\n') line += 1;
    if (quoted && letter === '"' && text[at + 1] === '"') {
      record.fields[last] += '"';
      at += 1;
    } else if (letter === '"') quoted = !quoted;
    else if (quoted) record.fields[last] += letter;
    else if (letter === ',') record.fields.push('');
    else if (letter === '\n') {
      records.push(record);
      record = { line, fields: [''] };
    } else if (letter !== '\r') record.fields[last] += letter;
  }
  if (record.fields.length > 1 || record.fields[0] !== '') records.push(record);
  return records;
}

const [header, ...records] = parse(readFileSync(file, 'utf8'));
const rows = [];
const rejected = [];
for (const { line, fields } of records) {
  const row = Object.fromEntries(header.fields.map((name, index) => [name, fields[index] ?? '']));
  const missing = required.find((name) => row[name] === '' || row[name] === undefined);
  const wrong = numbers.find((name) => !/^-?\d+(\.\d+)?$/.test(row[name] ?? ''));
  if (fields.length !== header.fields.length)
    rejected.push({ line, problem: `${fields.length} fields, not ${header.fields.length}` });
  else if (missing !== undefined) rejected.push({ line, problem: `${missing} is empty` });
  else if (wrong !== undefined) rejected.push({ line, problem: `${wrong} is "${row[wrong]}", no number` });
  else rows.push({ ...row, ...Object.fromEntries(numbers.map((name) => [name, Number(row[name])])) });
}
console.log(JSON.stringify({ rows, rejected }));
