import type { Problem } from '../errors/workflow-error.ts';
import { loadExpressions } from '../expression/expression.ts';
import { checkContext } from './checks/context.ts';
import { checkCycles } from './checks/cycles.ts';
import { checkErrorHandling } from './checks/error-handling.ts';
import { checkFlow } from './checks/flow.ts';
import { checkIds } from './checks/ids.ts';
import { checkReferences } from './checks/references.ts';
import { checkTriggers } from './checks/triggers.ts';
import { checkUndo } from './checks/undo.ts';
import { checkVariables } from './checks/variables.ts';
import type { WorkflowFile } from './file.ts';
import { scopeOf } from './file-scope.ts';
import { parseJsonText } from './json-text.ts';
import { normalise } from './normalise.ts';
import { type Places, placesOf } from './places.ts';
import { type Repaired, repaired } from './repair.ts';
import { makeRoster, type Roster } from './roster.ts';
import { checkSchema } from './schema-check.ts';
import { fileSources } from './sources.ts';
import { renewSuggestions } from './suggest.ts';
import type { Json, Workflow } from './workflow.ts';

export interface LoadOptions {
  /** Where the text came from; it stands first in messages about the text as a whole. */
  readonly file?: string;
}

export interface LoadResult {
  /** Null exactly when there is an error among the problems. */
  readonly workflow: Workflow | null;
  /** Errors first, each kind in the order of the file's parts. */
  readonly problems: readonly Problem[];
  /** Of a workflow without errors; empty for another. */
  readonly places: Places;
}

const MAX_PROBLEMS = 200;

/**
 * Reads a workflow file: all its errors and warnings at once, and the model when there is no error. Never throws for
 * a bad file. The expression parser and the cron package are loaded only for a file that needs them.
 */
export async function loadWorkflow(text: string, options: LoadOptions = {}): Promise<LoadResult> {
  renewSuggestions();
  const parsed = parseJsonText(text);
  if (parsed.value === undefined)
    return ended(
      null,
      parsed.problems.map((problem) => withFile(problem, options)),
    );
  const findings = checkSchema(parsed.value);
  const schemaProblems = [...parsed.problems, ...findings.map((finding) => finding.problem)];
  const repair = findings.length === 0 ? null : repaired(parsed.value, findings);
  if (repair === null && findings.length > 0) return ended(null, schemaProblems);
  const file = asFile(repair?.value ?? parsed.value);
  const roster = makeRoster(file, repair?.gaps);
  const meaning = await checkMeaning(file, roster);
  const problems = [...schemaProblems, ...(repair === null ? meaning : told(repair, meaning))];
  const isValid = problems.every((problem) => problem.severity !== 'error');
  if (!isValid) return ended(null, problems);
  return { ...ended(normalise(file, roster), problems), places: placesOf(roster) };
}

/** What is said of a repaired file, as far as it holds for the file itself. */
function told(repair: Repaired, problems: readonly Problem[]): readonly Problem[] {
  return [...repair.more, ...problems.map(repair.translate).filter((problem) => problem !== null)];
}

async function checkMeaning(file: WorkflowFile, roster: Roster): Promise<readonly Problem[]> {
  await loadExpressions(roster.all.flatMap(({ step }) => fileSources(step)));
  const scope = scopeOf(file, new Set([...roster.byId.keys(), ...roster.gaps.strays]), roster.gaps);
  const cycles = checkCycles(file, roster);
  return [
    ...checkIds(file, roster),
    ...checkFlow(file, roster),
    ...checkReferences(roster, scope),
    ...checkVariables(roster),
    ...checkContext(file, roster),
    ...checkErrorHandling(file, roster),
    ...(cycles.length > 0 ? cycles : checkUndo(roster)),
    ...(await checkTriggers(file)),
  ];
}

/** The schema accepted it, or it was mended until it did. */
function asFile(value: Json): WorkflowFile {
  return value as unknown as WorkflowFile;
}

function withFile(problem: Problem, { file }: LoadOptions): Problem {
  return file === undefined ? problem : { ...problem, message: `${file}: ${problem.message}` };
}

function ended(workflow: Workflow | null, problems: readonly Problem[]): LoadResult {
  const unique = [
    ...new Map(problems.map((problem) => [`${problem.path} ${problem.message}`, problem])).values(),
  ];
  const sorted = [
    ...unique.filter((problem) => problem.severity === 'error'),
    ...unique.filter((problem) => problem.severity === 'warning'),
  ];
  const places: Places = new Map();
  if (sorted.length <= MAX_PROBLEMS) return { workflow, problems: sorted, places };
  const more: Problem = {
    severity: sorted[0]?.severity ?? 'error',
    path: '$',
    message: `and ${sorted.length - MAX_PROBLEMS} more problems`,
  };
  return { workflow, problems: [...sorted.slice(0, MAX_PROBLEMS), more], places };
}
