// Puts a section for a version on top of a changelog, or replaces the one that is there. Prints {path, lines}.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const { path, version, sections } = JSON.parse(readFileSync(0, 'utf8'));
const day = new Date().toISOString().slice(0, 10);
const section = [
  `## [${version}] - ${day}`,
  ...sections.flatMap(({ title, subjects }) => [
    '',
    `### ${title}`,
    ...subjects.map((subject) => `- ${subject}`),
  ]),
  '',
].join('\n');

const before = existsSync(path) ? readFileSync(path, 'utf8') : '# Changelog\n';
const [head, ...others] = before.split(/^(?=## )/m);
const kept = others.filter((other) => !other.startsWith(`## [${version}]`));
writeFileSync(path, [`${head.trimEnd()}\n`, section, ...kept].join('\n'));
console.log(JSON.stringify({ path, lines: section.split('\n').length }));
