import { hashJson } from '../../audit/canonical.ts';
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
    const problems = error instanceof WorkflowError ? error.problems : [];
    throw refusal(`skills or agents of instance ${row.id} are no longer there`, row, {
      cause: error,
      problems,
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
    throw refusal(`what instance ${row.id} began with has changed on disk`, row, { problems });
}

function refusal(
  message: string,
  { id }: InstanceRow,
  more: { readonly problems: readonly Problem[]; readonly cause?: unknown },
): WorkflowError {
  return new WorkflowError('PIN_CHANGED', message, {
    ...more,
    hint: `q workflow resume ${id} --pinned goes on with what it began with, --definition new with what is there now.`,
  });
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
