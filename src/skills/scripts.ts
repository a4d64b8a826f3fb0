import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemCode } from '../errors/workflow-error.ts';
import type { Skill } from './skill.ts';

/** The files that a skill's command line names: a skill file may be a line that runs a script. Absolute paths. */
export function scriptsOf(skill: Skill, workspace: string): string[] {
  const folder = resolve(workspace, skill.workingDir ?? '.');
  return [skill.command, ...skill.args].flatMap((word) => {
    if (word === null || word === '' || word.startsWith('-') || word.includes('{')) return [];
    const isCommandName = word === skill.command && !word.includes('/');
    const file = resolve(folder, word);
    return !isCommandName && isFile(file) ? [file] : [];
  });
}

function isFile(file: string): boolean {
  try {
    return statSync(file).isFile();
  } catch (error) {
    const code = systemCode(error);
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG'].includes(code ?? '')) return false;
    throw error;
  }
}
