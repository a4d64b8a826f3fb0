import { constants, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ScopeRecord } from '../../sandbox/isolation.ts';
import { systemCode } from '../errors/workflow-error.ts';

/** What an instance is and where its processes are: for the kill switch, where no supervisor and no database answers. */
export interface About {
  readonly workflow: string;
  readonly agents: readonly string[];
  readonly scope: ScopeRecord;
}

const NAME = 'about.json';

/** Written before the process starts; not synced: without its boot there are no processes either. */
export function writeAbout(folder: string, about: About): void {
  const fresh = join(folder, `${NAME}.new`);
  writeFileSync(fresh, JSON.stringify(about), { mode: 0o600 });
  renameSync(fresh, join(folder, NAME));
}

/** Null when there is none, or it cannot be read. */
export function readAbout(folder: string): About | null {
  try {
    const text = readFileSync(join(folder, NAME), {
      encoding: 'utf8',
      flag: constants.O_RDONLY | constants.O_NOFOLLOW,
    });
    // Our supervisor wrote it, whole, in a folder that only we may enter.
    return JSON.parse(text) as About;
  } catch (error) {
    if (error instanceof SyntaxError || ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? ''))
      return null;
    throw error;
  }
}
