/** The command `edit`: a definition that is there, opened in the wizard and saved in its place. */
import { readFileSync } from 'node:fs';
import { resolveTarget } from '../cli/run/arguments.ts';
import { styleFor } from '../cli/text/style.ts';
import type { Client } from '../client/client.ts';
import { loadWorkflow } from '../definition/load.ts';
import type { JsonObject } from '../definition/workflow.ts';
import { ensureError, WorkflowError } from '../errors/workflow-error.ts';
import type { Caller } from '../protocol/caller.ts';
import type { Home } from '../protocol/home.ts';
import type { Created } from './create.ts';
import { answersOf } from './definition.ts';
import { draftFile } from './draft-file.ts';
import { editFlow } from './flows/create-flow.ts';
import { leadKept } from './kept-conversation.ts';
import { openWorld } from './open-world.ts';
import { checkAnswers, saveAll } from './save.ts';
import { openTerminal } from './terminal.ts';

export interface EditRequest {
  readonly target: string;
  readonly dropsDraft: boolean;
}

export interface Edited {
  readonly created: Created;
  readonly wasRegistered: boolean;
  readonly hasChanged: boolean;
}

/** Opens a workflow by name or file. Null: the person left, or threw the changes away; it was said. */
export async function editWorkflow(
  request: EditRequest,
  client: Client,
  caller: Caller,
  home: Home,
): Promise<Edited | null> {
  const { file, name } = await fileOf(request.target, client, caller);
  const text = textOf(file);
  const given = answersOf(await readDefinition(file, text));
  const draft = draftFile(home, `edit ${file}`);
  if (request.dropsDraft) draft.remove();
  const world = openWorld(caller, home);
  const answers = await leadKept({
    start: () => editFlow(world, given),
    asker: await openTerminal(styleFor(process.stderr)),
    draft,
    // What was changed of another text does not fit this one.
    subject: text,
    command: `q workflow edit ${request.target}`,
  });
  if (answers === null) return null;
  const checked = await checkAnswers(answers, 'the changes');
  const hasChanged = JSON.stringify(checked.definition) !== JSON.stringify(JSON.parse(text));
  if (hasChanged) refuseIfChanged(file, text);
  const skills = hasChanged ? saveAll(file, checked.text, answers, caller.workspace) : [];
  draft.remove();
  const { definition, problems } = checked;
  return {
    created: { name: answers.name, version: answers.version, file, skills, definition, problems },
    wasRegistered: await isRegistered(name ?? answers.name, file, client, caller, home),
    hasChanged,
  };
}

async function fileOf(
  given: string,
  client: Client,
  caller: Caller,
): Promise<{ file: string; name: string | null }> {
  const target = resolveTarget(given, caller.workspace);
  if (target !== given || given.startsWith('/')) return { file: target, name: null };
  const shown = await client.call('workflow.show', { target, caller });
  return { file: shown.file, name: shown.name };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new WorkflowError('WORKFLOW_NOT_FOUND', `cannot read ${file}: ${ensureError(error).message}`, {
      cause: error,
    });
  }
}

/** The questions take a valid file for granted: what is wrong is mended by hand first. */
async function readDefinition(file: string, text: string): Promise<JsonObject> {
  const { workflow, problems } = await loadWorkflow(text, { file });
  if (workflow === null)
    throw new WorkflowError('DEFINITION_INVALID', `${file} is not a valid workflow`, {
      problems,
      about: { file },
    });
  return JSON.parse(text) as JsonObject;
}

/** Somebody else may have saved it while questions were open: theirs is not lost. */
function refuseIfChanged(file: string, text: string): void {
  if (textOf(file) === text) return;
  throw new WorkflowError('FILE_EXISTS', `${file} was changed by someone else while it was edited`, {
    hint: 'Run the command again: it opens the file as it is now.',
  });
}

/** The folders of the state folder hold no workflows: from there only registered ones are found. */
async function isRegistered(
  name: string,
  file: string,
  client: Client,
  caller: Caller,
  { folder }: Home,
): Promise<boolean> {
  try {
    const shown = await client.call('workflow.show', {
      target: name,
      caller: { ...caller, workspace: folder, userHome: folder },
    });
    return shown.source === 'registered' && shown.file === file;
  } catch (error) {
    if (error instanceof WorkflowError && error.code === 'WORKFLOW_NOT_FOUND') return false;
    throw error;
  }
}
