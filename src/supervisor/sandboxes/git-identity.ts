import { closeSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../errors/workflow-error.ts';

const FILES = ['.config/git/config', '.gitconfig'];
const MAX_BYTES = 256 * 1024;

/**
 * Who commits, as a configuration of git with nothing else in it: the sandbox of steps has none of the person's own, which
 * may hold keys and commands, and without a name git makes no commit. Null where the home says no name and address.
 * What it includes from other files is not read.
 */
export function gitIdentity(home: string): string | null {
  const found = new Map<string, string>();
  for (const file of FILES)
    for (const [key, value] of entriesOf(textOf(home, join(home, file)))) found.set(key, value);
  const [name, email] = [found.get('name'), found.get('email')];
  if (name === undefined || email === undefined) return null;
  return `[user]\n\tname = ${quoted(name)}\n\temail = ${quoted(email)}\n`;
}

/** A file of the owner of the home: what a link leads to elsewhere is not for a step to see. */
function textOf(home: string, file: string): string {
  try {
    const owner = statSync(home).uid;
    const descriptor = openSync(file, 'r');
    try {
      const stat = fstatSync(descriptor);
      return stat.isFile() && stat.uid === owner && stat.size <= MAX_BYTES
        ? readFileSync(descriptor, 'utf8')
        : '';
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    // No file, or none that we may read: then the home says nothing.
    if (systemCode(error) === undefined) throw error;
    return '';
  }
}

function* entriesOf(text: string): Generator<readonly [string, string]> {
  let isUser = false;
  for (const line of text.split(/\r?\n/)) {
    const section = /^\s*\[\s*([^\]\s"]*)\s*(".*")?\s*\]/.exec(line);
    if (section !== null) isUser = section[1]?.toLowerCase() === 'user' && section[2] === undefined;
    const [, key = '', value = ''] = /^\s*(name|email)\s*=\s*(.*)$/i.exec(line) ?? [];
    const plain = plainValue(value);
    if (isUser && plain !== null) yield [key.toLowerCase(), plain];
  }
}

/** Null for what is empty, spans lines or holds what is not printed. */
function plainValue(value: string): string | null {
  const text = value.startsWith('"')
    ? (/^"((?:[^"\\]|\\["\\])*)"/.exec(value)?.[1] ?? '').replace(/\\(.)/g, '$1')
    : value.replace(/\s+[#;].*$/, '').trim();
  return text === '' || /[\p{Cc}\\]/u.test(text) ? null : text;
}

function quoted(value: string): string {
  return `"${value.replaceAll('"', '\\"')}"`;
}
