// Prints {pages, links: [{page, target}]} of the Markdown files of a folder, without those in code.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.env.SKILL_PARAM_folder;
const pages = readdirSync(folder, { recursive: true })
  .filter((name) => name.endsWith('.md'))
  .sort();
const links = pages.flatMap((name) => {
  const page = join(folder, name);
  const text = readFileSync(page, 'utf8')
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/`[^`\n]*`/g, '');
  return [...text.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)].map(([, target]) => ({ page, target }));
});
console.log(JSON.stringify({ pages: pages.length, links }));
