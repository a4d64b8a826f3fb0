import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../errors/workflow-error.ts';

export interface AgentPlaces {
  readonly workspace: string;
  /** The user's home folder. */
  readonly home: string;
}

/**
 * The file of an agent by name: Q's and Kiro's folders of the workspace, then those of the user (`KIRO_HOME` moves
 * `~/.kiro`). Null when there is none. The file is not read.
 */
export function findAgentFile(name: string, places: AgentPlaces): string | null {
  return agentFiles(name, places).find((file) => existsSync(file)) ?? null;
}

/** The files of all agents, each name once, by name. No file is read. */
export function listAgentFiles(places: AgentPlaces): { readonly name: string; readonly file: string }[] {
  const found = new Map<string, string>();
  for (const { folder, extensions } of agentFolders(places))
    for (const extension of extensions)
      for (const file of filesIn(folder)) {
        const name = file.endsWith(extension) ? file.slice(0, -extension.length) : '';
        if (name !== '' && !name.startsWith('.') && !found.has(name)) found.set(name, join(folder, file));
      }
  return [...found].map(([name, file]) => ({ name, file })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Every place where the file of an agent may be, in the order of their weight. */
function agentFiles(name: string, places: AgentPlaces): string[] {
  if (name.includes('/') || name.startsWith('.')) return [];
  return agentFolders(places).flatMap(({ folder, extensions }) =>
    extensions.map((extension) => join(folder, name + extension)),
  );
}

function agentFolders({ workspace, home }: AgentPlaces): { folder: string; extensions: readonly string[] }[] {
  const kiroHome = process.env['KIRO_HOME'] || join(home, '.kiro');
  return [
    { folder: join(workspace, '.amazonq', 'cli-agents'), extensions: ['.json'] },
    { folder: join(workspace, '.kiro', 'agents'), extensions: ['.json', '.md'] },
    { folder: join(home, '.aws', 'amazonq', 'cli-agents'), extensions: ['.json'] },
    { folder: join(kiroHome, 'agents'), extensions: ['.json', '.md'] },
  ];
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    const code = systemCode(error);
    // A folder that cannot be read has no agent that could be used.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return [];
    throw error;
  }
}
