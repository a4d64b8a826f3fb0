import type { Problem } from '../errors/workflow-error.ts';
import { analyse } from './analysis.ts';
import { normalise } from './normalise.ts';
import { parseText } from './parse.ts';
import { Problems } from './problems.ts';
import { checkSchema } from './schema-check.ts';
import type { Workflow } from './workflow.ts';

export interface LoadOptions {
  /** Where the text comes from; for readers of this call, messages speak of places in the file only. */
  readonly file?: string;
}

export interface LoadResult {
  /** Null when any problem is an error. */
  readonly workflow: Workflow | null;
  /** Every error and warning of the file, not only the first. */
  readonly problems: readonly Problem[];
}

/** Reads, checks and normalises the text of a workflow file. Never throws for what a file can hold. */
export async function loadWorkflow(text: string, _options: LoadOptions = {}): Promise<LoadResult> {
  const problems = new Problems();
  const value = parseText(text, problems);
  const tree = problems.hasErrors ? null : await checkSchema(value, problems);
  if (tree === null) return { workflow: null, problems: problems.list() };
  const analysis = analyse(tree);
  const workflow = problems.hasErrors ? null : normalise(analysis);
  return { workflow, problems: problems.list() };
}
