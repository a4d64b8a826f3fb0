/** The command `create`: from questions, a file of answers or a model to a file that is saved. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { styleFor } from '../cli/text/style.ts';
import type { Json } from '../definition/workflow.ts';
import { ensureError, type Problem, WorkflowError } from '../errors/workflow-error.ts';
import type { Caller } from '../protocol/caller.ts';
import type { Home } from '../protocol/home.ts';
import type { Answers } from './answers/answers.ts';
import { readAnswers } from './answers/answers-file.ts';
import type { Asker } from './conversation.ts';
import { answersOf } from './definition.ts';
import { type DraftFile, draftFile } from './draft-file.ts';
import { createFlow, type Finished, reviewFlow } from './flows/create-flow.ts';
import { leadKept } from './kept-conversation.ts';
import { nameFault, slug } from './names.ts';
import { openWorld } from './open-world.ts';
import { type Checked, checkAnswers, refuseToReplace, saveAll } from './save.ts';
import { openTerminal } from './terminal.ts';
import type { Drafted, World } from './world.ts';

export interface CreateRequest {
  readonly purpose: string | null;
  readonly from: string | null;
  readonly file: string | null;
  readonly wantsDraft: boolean;
  /** Nothing is asked: what is not said takes its default. */
  readonly isSilent: boolean;
  readonly isForced: boolean;
  readonly isPrinted: boolean;
  readonly dropsDraft: boolean;
  readonly canAsk: boolean;
}

/** What was made, as `--json` prints it. */
export interface Created {
  readonly name: string;
  readonly version: string;
  /** Null: it was only shown. */
  readonly file: string | null;
  /** Files of skills that were made with it. */
  readonly skills: readonly string[];
  readonly definition: Json;
  readonly problems: readonly Problem[];
}

export interface Outcome {
  readonly created: Created;
  readonly isRegistered: boolean;
  readonly isRun: boolean;
}

/** Makes a workflow. Null: the person left, or threw it away; it was said. Throws before anything is written. */
export async function createWorkflow(
  request: CreateRequest,
  caller: Caller,
  home: Home,
): Promise<Outcome | null> {
  const world = openWorld(caller, home);
  const asks = request.canAsk && !request.isSilent;
  if (request.from === null && !asks) return saved(await silentDraft(request, world), request, caller);
  if (request.from !== null) {
    const text = textOf(request.from, caller);
    const answers = readAnswers(text, request.from, request.purpose);
    // The answers came by the terminal itself: nobody is left to look at them.
    const isLookedAt = asks && !request.isPrinted && request.from !== '-';
    const looked = isLookedAt
      ? await reviewed(answers, text, request, world, home)
      : { answers, draft: null };
    if (looked === null) return null;
    const outcome = await saved(finishedBy(looked.answers, request, world), request, caller);
    looked.draft?.remove();
    return outcome;
  }
  const draft = draftFile(home, `create ${caller.workspace}`);
  const finished = await asked(request, world, draft, await openTerminal(styleFor(process.stderr)));
  if (finished === null) return null;
  const outcome = await saved(finished, { ...request, isForced: true }, caller);
  draft.remove();
  return outcome;
}

/** Without questions only a model can fill in the steps. */
async function silentDraft(request: CreateRequest, world: World): Promise<Finished> {
  if (!request.wantsDraft || request.purpose === null)
    throw new WorkflowError('USAGE', 'create asks questions, and there is no terminal to ask on', {
      hint: 'Give it the answers: --from answers.json (docs/create.md), or a purpose and --draft.',
    });
  const drafted = JSON.parse(
    await world.draft(request.purpose, slug(request.purpose, 'workflow')),
  ) as Drafted;
  if (drafted.definition === null) throw new WorkflowError('NO_DRAFT', `there is no draft: ${drafted.why}`);
  return finishedBy(answersOf(drafted.definition), request, world);
}

function finishedBy(answers: Answers, { file, isPrinted }: CreateRequest, world: World): Finished {
  const fault = nameFault(answers.name);
  if (fault !== null && file === null && !isPrinted)
    throw new WorkflowError('ANSWERS_INVALID', `"${answers.name}" is no name of a workflow`, {
      problems: [{ severity: 'error', path: '$.name', message: fault }],
    });
  const usual = join(world.folders[0]?.folder ?? '.', `${answers.name}.json`);
  return { answers, file: file === null ? usual : world.absolute(file), isRegistered: false, isRun: false };
}

async function saved(finished: Finished, request: CreateRequest, caller: Caller): Promise<Outcome> {
  const { answers, file, isRegistered, isRun } = finished;
  const checked = await checkAnswers(answers, 'the answers');
  if (request.isPrinted)
    return { created: createdOf(checked, answers, null, []), isRegistered: false, isRun: false };
  if (!request.isForced) refuseToReplace(file);
  const skills = saveAll(file, checked.text, answers, caller.workspace);
  return { created: createdOf(checked, answers, file, skills), isRegistered, isRun };
}

function createdOf(
  checked: Checked,
  answers: Answers,
  file: string | null,
  skills: readonly string[],
): Created {
  const { definition, problems } = checked;
  return { name: answers.name, version: answers.version, file, skills, definition, problems };
}

/** Shows a person what the answers of a file make, to be changed or saved. Null: they left, or threw it away. */
async function reviewed(
  given: Answers,
  text: string,
  request: CreateRequest,
  world: World,
  home: Home,
): Promise<{ answers: Answers; draft: DraftFile } | null> {
  const draft = draftFile(home, `create --from ${request.from}`);
  if (request.dropsDraft) draft.remove();
  // What cannot be saved is told before the first question.
  if (!request.isForced) refuseToReplace(finishedBy(given, request, world).file);
  await checkAnswers(given, 'the answers');
  const answers = await leadKept({
    start: () => reviewFlow(world, given),
    asker: await openTerminal(styleFor(process.stderr)),
    draft,
    // Changes of other answers do not fit these.
    subject: text,
    command: `q workflow create --from ${request.from}`,
  });
  return answers === null ? null : { answers, draft };
}

function asked(
  request: CreateRequest,
  world: World,
  draft: DraftFile,
  asker: Asker,
): Promise<Finished | null> {
  if (request.dropsDraft) draft.remove();
  const { purpose, wantsDraft } = request;
  const file = request.file === null ? null : world.absolute(request.file);
  if (file !== null && !request.isForced && !request.isPrinted) refuseToReplace(file);
  return leadKept({
    start: () => createFlow(world, { purpose, wantsDraft, file }),
    asker,
    draft,
    subject: `create ${purpose ?? ''}`,
    command: `q workflow create${purpose === null ? '' : ` ${JSON.stringify(purpose)}`}`,
  });
}

/** `-` is the standard input. */
function textOf(from: string, { workspace }: Caller): string {
  try {
    return readFileSync(from === '-' ? 0 : resolve(workspace, from), 'utf8');
  } catch (error) {
    throw new WorkflowError('ANSWERS_INVALID', `cannot read ${from}: ${ensureError(error).message}`, {
      cause: error,
    });
  }
}
