import type { Agent } from '../agents/files/agent.ts';
import { loadWorkflow } from '../definition/load.ts';
import type { JsonObject } from '../definition/workflow.ts';
import type { Problem } from '../errors/workflow-error.ts';
import type { Skill } from '../skills/skill.ts';
import type { Answers } from './answers/answers.ts';
import { definitionOf } from './definition.ts';

/** What the questions are about besides the answers: read once, before the first question. */
export interface World {
  readonly skills: readonly Skill[];
  readonly agents: readonly NamedAgent[];
  /** Of the machine; schedules are in it unless said otherwise. */
  readonly timezone: string;
  readonly now: () => number;
  /** Name of the model that can draft; null where none is configured. */
  readonly model: string | null;
  /** A `Drafted` as JSON. */
  readonly draft: (purpose: string, name: string) => Promise<string>;
  /** Where the file may go, the usual one first. */
  readonly folders: readonly { readonly label: string; readonly folder: string }[];
  readonly exists: (file: string) => boolean;
  /** A path as a person types it. */
  readonly absolute: (path: string) => string;
  /** The picture of the flow, for the review. */
  readonly picture: (answers: Answers) => string | Promise<string>;
}

/** What a model made of a purpose: a valid definition, or why there is none. */
export type Drafted =
  | { readonly definition: JsonObject; readonly why: null }
  | { readonly definition: null; readonly why: string };

/** An agent under the name by which a step names it: that of its file. */
export interface NamedAgent extends Omit<Agent, 'name'> {
  readonly name: string;
}

/** The errors of the file that the answers make; warnings are left out. */
export async function errorsOf(answers: Answers): Promise<readonly Problem[]> {
  const { problems } = await loadWorkflow(JSON.stringify(definitionOf(answers)));
  return problems.filter(({ severity }) => severity === 'error');
}

/** The first thing that is wrong with the answers, in words; null when nothing is. */
export async function faultOf(answers: Answers): Promise<string | null> {
  const [first] = await errorsOf(answers);
  return first === undefined ? null : first.message;
}
