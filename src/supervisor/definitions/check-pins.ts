import { hashJson } from '../../audit/canonical.ts';
import { ERROR_TABLE } from '../../errors/table.ts';
import { type Problem, WorkflowError } from '../../errors/workflow-error.ts';
import type { Caller } from '../../protocol/caller.ts';
import type { Store } from '../../store/store.ts';
import type { InstanceRow } from '../../store/tables/instance-rows.ts';
import { pinAgents } from './pin-agents.ts';
import { pinSkills, usableSkills } from './pin-skills.ts';
import { readPins } from './pins.ts';
import { hashScript } from './script-pins.ts';

/** Refuses with PIN_CHANGED to go on silently with what is no longer what it was. */
export async function checkPins(store: Store, row: InstanceRow, caller: Caller): Promise<void> {
  const pinned = await readPins(store, row);
  let now: ReturnType<typeof pinSkills>['skills'];
  let agents: ReturnType<typeof pinAgents>['agents'];
  try {
    const there = { ...caller, workspace: row.workspace };
    now = { ...usableSkills(there), ...pinSkills(pinned.workflow, there).skills };
    agents = pinAgents(pinned.workflow, there).agents;
  } catch (error) {
    throw new WorkflowError('PIN_CHANGED', `skills or agents of instance ${row.id} are no longer there`, {
      hint: pinHint(row.id),
      cause: error,
    });
  }
  const problems: Problem[] = Object.entries(pinned.skills)
    .filter(([name, skill]) => hashJson(skill) !== hashJson(now[name] ?? null))
    .map(([name, skill]) => changed(skill.file ?? name, `the skill ${name}`));
  for (const [name, agent] of Object.entries(pinned.agents))
    if (hashJson(agent) !== hashJson(agents[name] ?? null))
      problems.push(changed(agent.file, `the agent ${name}`));
  for (const [file, hash] of Object.entries(pinned.scripts))
    if (hashScript(file) !== hash) problems.push(changed(file, 'a script of a skill'));
  if (await hasChanged(store, row)) problems.push(changed(row.source, 'the definition'));
  if (problems.length > 0)
    throw new WorkflowError('PIN_CHANGED', `what instance ${row.id} began with has changed on disk`, {
      hint: pinHint(row.id),
      problems,
    });
}

function pinHint(id: string): string {
  return ERROR_TABLE.PIN_CHANGED.hint.replace('<id>', id);
}

/** A version that is registered is run as it was registered, whatever became of its file or of the name since. */
async function hasChanged(store: Store, row: InstanceRow): Promise<boolean> {
  const now = hashScript(row.source);
  if (now === null || now === row.definitionHash) return false;
  const versions = await store.call('version.list', { workflow: row.workflow });
  return !versions.some(({ definitionHash }) => definitionHash === row.definitionHash);
}

function changed(path: string, what: string): Problem {
  return { severity: 'error', path, message: `${what} changed since the run began` };
}
