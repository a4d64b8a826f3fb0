import { readdirSync } from 'node:fs';
import { systemCode } from '../errors/workflow-error.ts';

/** The names in a folder of ours; none while it was not made yet. Throws the system error when it cannot be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
