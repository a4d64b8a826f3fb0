import { tableName } from '../../command/program-name.ts';
import type { CommandReading } from '../../command/reading.ts';
import { readGit } from '../../command/wrappers/git.ts';
import type { PathReader } from './path-reader.ts';

/**
 * The folder that git would take for a repository by what is in it, not by its name: its `config` says what git runs, and
 * whoever may write files can make one. Null where there is none, or nobody knows where git runs.
 */
export function foundRepository(reading: CommandReading, base: string, paths: PathReader): string | null {
  for (const { program, args, directories } of reading.commands) {
    if (program === null || tableName(program) !== 'git') continue;
    const { directory } = readGit(args);
    for (const from of directories)
      for (const start of from === null ? [] : paths.resolve(from, base).real)
        for (const place of directory == null ? [start] : paths.resolve(directory, start).real) {
          const found = searchUpwards(place, paths);
          if (found !== null) return found;
        }
  }
  return null;
}

/** As git does: a `.git` ends the search, and what lies above the workspace is not for agents to make. */
function searchUpwards(from: string, paths: PathReader): string | null {
  for (let at = from; at.startsWith(paths.workspace); at = at.slice(0, at.lastIndexOf('/'))) {
    const has = (name: string): boolean => paths.isThere(`${at}/${name}`);
    if (has('.git')) return null;
    if (has('HEAD') && has('objects') && has('refs')) return at;
  }
  return null;
}
