import type { ErrorCode } from '../errors/table.ts';
import { ensureWorkflowError, type Problem, WorkflowError } from '../errors/workflow-error.ts';
import type { Caller } from '../protocol/caller.ts';
import { problemLines } from './base-command.ts';
import { resolveTarget } from './run/arguments.ts';
import { readStandardInput, STANDARD_INPUT } from './run/standard-input.ts';
import type { Screen } from './text/screen.ts';
import { plural } from './text/style.ts';
import { wrapped } from './text/wrap.ts';

export interface Validation {
  /** As it was given. */
  readonly file: string;
  readonly is_valid: boolean;
  readonly name: string | null;
  readonly version: string | null;
  readonly problems: readonly Problem[];
}

/** Checks each of them; `-` is standard input. Of several, one that cannot be read is among those that are not valid. */
export async function checkFiles(given: readonly string[], caller: Caller): Promise<Validation[]> {
  const found: Validation[] = [];
  for (const file of given)
    found.push(await checkFile(file, caller, given.length === 1 ? ['DEFINITION_INVALID'] : UNUSABLE));
  return found;
}

const UNUSABLE: readonly ErrorCode[] = ['DEFINITION_INVALID', 'WORKFLOW_NOT_FOUND'];

/** Loads a file as `run` would, and looks its skills up: a missing one is a warning here. Throws any other code. */
async function checkFile(file: string, caller: Caller, expected: readonly ErrorCode[]): Promise<Validation> {
  // The checks load the validators and the expression language: only this command needs them here.
  const [{ loadSource }, { pinSkills }, { pinAgents }] = await Promise.all([
    import('../supervisor/definitions/workflow-source.ts'),
    import('../supervisor/definitions/pin-skills.ts'),
    import('../supervisor/definitions/pin-agents.ts'),
  ]);
  try {
    const { workflow, problems, places } = await loadSource(
      file === '-'
        ? { kind: 'file', file: STANDARD_INPUT, text: await readStandardInput() }
        : {
            kind: 'file',
            file: resolveTarget(file.includes('/') ? file : `./${file}`, caller.workspace),
            text: null,
          },
    );
    return {
      file,
      is_valid: true,
      name: workflow.name,
      version: workflow.version,
      problems: [
        ...problems,
        ...pinWarnings('skills', () => pinSkills(workflow, caller, places)),
        ...pinWarnings('agents', () => pinAgents(workflow, caller, places)),
      ],
    };
  } catch (error) {
    const known = ensureWorkflowError(error);
    if (!expected.includes(known.code)) throw known;
    return {
      file,
      is_valid: false,
      name: null,
      version: null,
      problems:
        known.problems.length > 0
          ? known.problems
          : [{ severity: 'error', path: '$', message: known.message }],
    };
  }
}

export function validationText(result: Validation, { style, width }: Screen): string {
  const { file } = result;
  const errors = result.problems.filter((problem) => problem.severity === 'error').length;
  const warnings = result.problems.length - errors;
  const counts = [
    ...(errors > 0 ? [plural(errors, 'error')] : []),
    ...(warnings > 0 ? [plural(warnings, 'warning')] : []),
  ].join(', ');
  const head = result.is_valid
    ? wrapped(
        `${style.green('✓')} `,
        `${file} is valid: ${result.name} ${result.version}${counts === '' ? '' : ` (${counts})`}`,
        width,
      )
    : wrapped(`${style.red('✗')} `, `${file} is not valid: ${counts}`, width);
  return [...head, ...result.problems.flatMap((problem) => problemLines(problem, width))].join('\n');
}

const MISSING = new Set<string>(['SKILL_NOT_FOUND', 'SKILL_INVALID', 'AGENT_NOT_FOUND', 'AGENT_INVALID']);

/** What is missing, and what was read another way than it was written, of the skills or agents that the file names. */
function pinWarnings(path: string, pin: () => { readonly notes: readonly string[] }): Problem[] {
  try {
    return pin().notes.map((message) => ({ severity: 'warning', path, message }));
  } catch (error) {
    if (!(error instanceof WorkflowError) || !MISSING.has(error.code)) throw error;
    return error.problems.map((problem) => ({ ...problem, severity: 'warning' }));
  }
}
