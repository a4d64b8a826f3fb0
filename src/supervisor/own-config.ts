/**
 * The configuration of the person whose supervisor this is: `q-workflow/config.json` in the XDG configuration folder.
 * Never anything of a workspace: what stands here may run commands and send out what happens.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Json } from '../definition/workflow.ts';
import { ensureError, systemCode } from '../errors/workflow-error.ts';
import { Fields, isObject, NoteList } from '../skills/fields.ts';

export interface ConfigSection {
  readonly file: string;
  /** Null when the file does not have the section. */
  readonly fields: Fields | null;
  readonly notes: NoteList;
}

/** Reads a section of the file; a file that is missing has none. What is wrong is in the notes. */
export function readSection(env: NodeJS.ProcessEnv, name: string): ConfigSection {
  const folder = env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config');
  const file = join(folder, 'q-workflow', 'config.json');
  const notes = new NoteList(file);
  try {
    const content = JSON.parse(readFileSync(file, 'utf8')) as Json;
    if (isObject(content)) return { file, notes, fields: new Fields(content, '$', notes).object(name) };
    notes.error('$', 'must be an object');
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') notes.error('$', `cannot be read: ${ensureError(error).message}`);
  }
  return { file, notes, fields: null };
}

/** What is wrong with a section, in one line; null when nothing. An unknown key is a typo, and counts. */
export function problemOf({ file, notes }: ConfigSection): string | null {
  if (notes.all.length === 0) return null;
  const lines = notes.all.map(({ path, message }) => `${path} ${message.replace(' is ignored', '')}`);
  return `${file}: ${lines.join('; ')}`;
}
