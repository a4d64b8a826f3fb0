import { statSync } from 'node:fs';
import { sha256 } from '../../audit/canonical.ts';
import { NotRegular, readRegularBytes } from '../../definition/regular-file.ts';
import { systemCode } from '../../errors/workflow-error.ts';
import { scriptsOf } from '../../skills/scripts.ts';
import type { Skill } from '../../skills/skill.ts';

/** Larger files are programs of the system rather than scripts of a skill. */
const MAX_SCRIPT_BYTES = 4 * 1024 * 1024;

/**
 * The files of a skill's own that its command line names, path → SHA-256: a skill file may be a line that runs a
 * script, and then the script is what was pinned.
 */
export function pinScripts(skills: readonly Skill[], workspace: string): Record<string, string> {
  const scripts: Record<string, string> = {};
  for (const file of skills.flatMap((skill) => scriptsOf(skill, workspace))) {
    const hash = hashScript(file);
    if (hash !== null) scripts[file] = hash;
  }
  return scripts;
}

/** The hash of a regular file of script size; null for anything else. */
export function hashScript(file: string): string | null {
  try {
    const stat = statSync(file);
    if (!stat.isFile() || stat.size > MAX_SCRIPT_BYTES) return null;
    // A step may put a pipe in its place meanwhile.
    return sha256(readRegularBytes(file, MAX_SCRIPT_BYTES));
  } catch (error) {
    if (error instanceof NotRegular) return null;
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES' || code === 'ENAMETOOLONG') return null;
    throw error;
  }
}
