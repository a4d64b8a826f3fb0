import { existsSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadWorkflow } from '../definition/load.ts';
import type { JsonObject } from '../definition/workflow.ts';
import { ensureError, type Problem, WorkflowError } from '../errors/workflow-error.ts';
import { writeDurably } from '../protocol/durable-file.ts';
import type { Answers } from './answers/answers.ts';
import { definitionOf } from './definition.ts';

export interface Checked {
  readonly definition: JsonObject;
  /** Of the file as it is written. */
  readonly text: string;
  /** Warnings only. */
  readonly problems: readonly Problem[];
}

/** The workflow file of the answers. Throws DEFINITION_INVALID with all that is wrong: nothing else gets to the disk. */
export async function checkAnswers(answers: Answers, what: string): Promise<Checked> {
  const definition = definitionOf(answers);
  const text = `${JSON.stringify(definition, null, 2)}\n`;
  const { workflow, problems } = await loadWorkflow(text);
  if (workflow === null)
    throw new WorkflowError('DEFINITION_INVALID', `${what} make no valid workflow`, {
      problems,
      hint: 'Mend the places named: paths are those of the workflow file; --print shows it.',
    });
  return { definition, text, problems };
}

/** Writes the workflow, and the skills that were made with it. Answers their files. Skills that are there stay. */
export function saveAll(file: string, text: string, answers: Answers, workspace: string): readonly string[] {
  const made = Object.entries(answers.new_skills).map(([name, skill]) => ({
    file: join(workspace, '.q-skills', `${name}.json`),
    text: `${JSON.stringify({ name, ...skill }, null, 2)}\n`,
  }));
  const skills = made.filter((each) => !existsSync(each.file));
  // The workflow last: what names a skill is there only when the skill is.
  for (const each of skills) writeFile(each.file, each.text);
  writeFile(file, text);
  return skills.map((each) => each.file);
}

/** Throws FILE_EXISTS for a file that is there and was not meant to be replaced. */
export function refuseToReplace(file: string): void {
  if (existsSync(file)) throw new WorkflowError('FILE_EXISTS', `${file} is there already`);
}

/** As a whole, on the disk, with the rights of an ordinary file. A link stays one: its target is replaced. */
function writeFile(file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const target = existsSync(file) ? realpathSync(file) : file;
    const mode = existsSync(target) ? statSync(target).mode & 0o777 : 0o666 & ~process.umask();
    writeDurably(target, text, mode);
  } catch (error) {
    throw new WorkflowError('FILE_UNWRITABLE', `cannot write ${file}: ${ensureError(error).message}`, {
      cause: error,
    });
  }
}
