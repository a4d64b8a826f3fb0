import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../errors/workflow-error.ts';
import { PROFILE_VARIABLES } from '../protocol/agent-profiles.ts';
import { MODEL_VARIABLES } from '../protocol/model-variables.ts';

/**
 * The variables of ours that may describe a model or hold its key: those that are known, those of other makers' agents,
 * and those that the person's configuration names. They go over the private socket, apart from what steps inherit.
 */
export function modelEnvironment(configHome: string): Record<string, string> {
  const names = new Set([
    ...MODEL_VARIABLES,
    ...PROFILE_VARIABLES,
    ...namedVariables(join(configHome, 'q-workflow', 'config.json')),
  ]);
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const value = process.env[name];
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
}

/** The person's configuration of models; null when there is none. Throws what the system says when it cannot be read. */
export function modelConfig(configHome: string): { readonly file: string; readonly text: string | null } {
  const file = join(configHome, 'q-workflow', 'config.json');
  try {
    return { file, text: readFileSync(file, 'utf8') };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { file, text: null };
    throw error;
  }
}

/** What follows `"env":` in the file; the supervisor reads it in earnest. */
function namedVariables(file: string): string[] {
  try {
    const text = readFileSync(file, 'utf8');
    return [...text.matchAll(/"env"\s*:\s*"([A-Za-z_][A-Za-z0-9_]*)"/g)].map(([, name]) => name ?? '');
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    // Most people have none; what is wrong with one is said by who needs it.
    return [];
  }
}
