import { inputTypeOf } from '../../definition/input-type.ts';
import { isRoundedNumber } from '../../definition/json-text.ts';
import type { InputDeclaration, Json, JsonObject, Workflow } from '../../definition/workflow.ts';
import { nearest } from '../../errors/nearest.ts';
import { type Problem, WorkflowError } from '../../errors/workflow-error.ts';

/** What a run begins with, checked against what the workflow declares. */
export interface RunValues {
  readonly inputs: JsonObject;
  readonly context: { readonly readonly: JsonObject; readonly mutable: JsonObject };
}

/**
 * Checks inputs and context overrides of a run; texts (from the command line) are read after the declared type, or
 * for context after the type of the value in the file. `shownBy`: by what name or path `show` finds it. Throws INPUT_INVALID naming every problem at once.
 */
export function resolveRunValues(
  workflow: Workflow,
  given: JsonObject,
  overrides: JsonObject,
  shownBy: string = workflow.name,
): RunValues {
  const problems: Problem[] = [];
  const inputs: JsonObject = {};
  const inputNames = Object.keys(workflow.inputs);
  const contextNames = [...Object.keys(workflow.context.readonly), ...Object.keys(workflow.context.mutable)];
  for (const [name, declaration] of Object.entries(workflow.inputs)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value !== undefined) {
      const read = readInput(declaration, value);
      if (read === undefined) problems.push(wrongType(`--input ${name}`, declaration.type, value));
      else inputs[name] = read;
    } else if (declaration.default !== undefined) inputs[name] = declaration.default;
    else if (declaration.isRequired)
      problems.push(
        problem(`--input ${name}`, `the input ${name} (${declaration.type}) is required and was not given`),
      );
    else inputs[name] = null;
  }
  for (const name of Object.keys(given))
    if (!Object.hasOwn(workflow.inputs, name))
      problems.push(unknown('--input', name, inputNames, contextNames));

  const readonly = { ...workflow.context.readonly };
  const mutable = { ...workflow.context.mutable };
  for (const [name, value] of Object.entries(overrides)) {
    const place = Object.hasOwn(mutable, name) ? mutable : Object.hasOwn(readonly, name) ? readonly : null;
    if (place === null) {
      problems.push(unknown('--context', name, contextNames, inputNames));
      continue;
    }
    const type = inputTypeOf(place[name] ?? null);
    const read = readAs(type, value);
    if (read === undefined) problems.push(wrongType(`--context ${name}`, type, value));
    else place[name] = read;
  }
  if (problems.length > 0)
    throw new WorkflowError('INPUT_INVALID', `the workflow ${workflow.name} cannot run with these values`, {
      problems,
      about: { name: shownBy },
    });
  return { inputs, context: { readonly, mutable } };
}

/** Without a type the default tells what a text is meant to be; one that does not read so stays a text. */
function readInput({ type, default: usual }: InputDeclaration, value: Json): Json | undefined {
  if (type !== 'any' || usual === undefined) return readAs(type, value);
  return readAs(inputTypeOf(usual), value) ?? value;
}

function readAs(type: InputDeclaration['type'], value: Json): Json | undefined {
  if (type === 'any') return value;
  if (type === 'string') return typeof value === 'string' ? value : undefined;
  if (type === 'number' && typeof value === 'string' && isRoundedNumber(value)) return undefined;
  const candidate = typeof value === 'string' ? parseJson(value) : value;
  return candidate !== undefined && inputTypeOf(candidate) === type ? candidate : undefined;
}

/** The value of a JSON text. A number too large for JSON's own (1e999) counts as none: it would be stored as null. */
function parseJson(text: string): Json | undefined {
  let isStorable = true;
  try {
    const value = JSON.parse(text, (_, member: Json) => {
      if (typeof member === 'number' && !Number.isFinite(member)) isStorable = false;
      return member;
    }) as Json;
    return isStorable ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function problem(path: string, message: string): Problem {
  return { severity: 'error', path, message };
}

function wrongType(path: string, type: string, value: Json): Problem {
  if (type === 'number' && typeof value === 'string' && isRoundedNumber(value))
    return problem(path, `${value} would be rounded to ${Number(value)} as a number`);
  return problem(path, `${JSON.stringify(value)} is not of the type ${type}`);
}

/** `others` are the names that the other flag takes. */
function unknown(
  flag: '--input' | '--context',
  name: string,
  known: readonly string[],
  others: readonly string[],
): Problem {
  const list = known.length === 0 ? 'the workflow declares none' : `known: ${known.join(', ')}`;
  const otherFlag = flag === '--input' ? '--context' : '--input';
  const suggestion = others.includes(name) ? `${otherFlag} ${name}` : nearest(name, known);
  // What was probably meant is said by whoever shows the problem.
  const found = problem(`${flag} ${name}`, `${name} is not declared (${list})`);
  return suggestion === undefined ? found : { ...found, suggestion };
}
