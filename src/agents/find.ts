import { existsSync } from 'node:fs';
import { join } from 'node:path';

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

/** Every place where the file of an agent may be, in the order of their weight. */
function agentFiles(name: string, { workspace, home }: AgentPlaces): string[] {
  if (name.includes('/') || name.startsWith('.')) return [];
  const kiroHome = process.env['KIRO_HOME'] || join(home, '.kiro');
  return [
    join(workspace, '.amazonq', 'cli-agents', `${name}.json`),
    join(workspace, '.kiro', 'agents', `${name}.json`),
    join(workspace, '.kiro', 'agents', `${name}.md`),
    join(home, '.aws', 'amazonq', 'cli-agents', `${name}.json`),
    join(kiroHome, 'agents', `${name}.json`),
    join(kiroHome, 'agents', `${name}.md`),
  ];
}
