import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { listAgentFiles } from '../agents/files/find.ts';
import { readAgent } from '../agents/files/read-agent.ts';
import { flowOf } from '../cli/graph/flow.ts';
import { flowText } from '../cli/graph/text.ts';
import { styleFor } from '../cli/text/style.ts';
import { widthOf } from '../cli/text/table.ts';
import type { Caller } from '../protocol/caller.ts';
import type { Home } from '../protocol/home.ts';
import { findSkills } from '../skills/find.ts';
import { definitionOf } from './definition.ts';
import { draftByModel, modelName } from './model-draft.ts';
import type { World } from './world.ts';

/** Reads what the questions are about: skills and agents as a run would find them, the model, the folders. */
export function openWorld(caller: Caller, home: Home): World {
  const { workspace, userHome, configHome } = caller;
  const places = { workspace, home: userHome };
  const skills = findSkills({ ...places, configDir: configHome }).list();
  const agents = listAgentFiles(places).map(({ name, file }) => ({ ...readAgent(file, places).agent, name }));
  return {
    skills,
    agents,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    now: Date.now,
    model: modelName(caller),
    draft: (purpose, name) => draftByModel({ purpose, name, skills, agents }, caller, home),
    folders: [
      { label: 'this workspace', folder: join(workspace, '.amazonq', 'workflows') },
      { label: 'all your workspaces', folder: join(userHome, '.aws', 'amazonq', 'workflows') },
    ],
    exists: existsSync,
    absolute: (path) => resolve(workspace, path.trim()),
    picture: (answers) => {
      const title = `${answers.name} ${answers.version}${answers.purpose === '' ? '' : `  ${answers.purpose}`}`;
      const flow = flowOf(definitionOf(answers), title);
      return `\n${flowText(flow, styleFor(process.stderr), widthOf(process.stderr))}\n`;
    },
  };
}
