import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { systemCode } from '../../errors/workflow-error.ts';
import { AGENT_PROFILES } from '../../protocol/agent-profiles.ts';
import { nextQ } from '../plugin/next-q.ts';
import type { HealthRow } from './health-row.ts';

/**
 * Which agents of other makers could do a step: their programs on `path`. That there are none is nothing wrong. `own` are
 * programs of ours that may be called q: those are no agent.
 */
export function agentRow(path: string, own: readonly string[]): HealthRow {
  const folders = path.split(delimiter).filter((folder) => isAbsolute(folder));
  const programs = [...new Set(Object.values(AGENT_PROFILES).map(({ program }) => program))];
  const found = programs.filter((program) =>
    program === 'q'
      ? nextQ({ PATH: path }, own) !== null
      : folders.some((folder) => isProgram(join(folder, program))),
  );
  const detail =
    found.length === 0
      ? 'no agent of another maker is on PATH'
      : `on PATH, for agent files: ${found.join(', ')}`;
  return { name: 'agents', state: 'ok', detail, fix: null };
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch (error) {
    if (systemCode(error) !== undefined) return false;
    throw error;
  }
}
