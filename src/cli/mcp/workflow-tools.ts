import type { Json, JsonObject } from '../../definition/workflow.ts';
import type { Problem } from '../../errors/workflow-error.ts';
import { problemLine } from '../base-command.ts';
import { runEnvironment } from '../run/start-run.ts';
import { printable } from '../text/style.ts';
import { textOf } from './check-arguments.ts';
import { followInstance } from './follow-instance.ts';
import { RUN_RESULT, runAnswer } from './run-document.ts';
import { clientTarget } from './target.ts';
import type { ArgumentSchema, Tool } from './tool.ts';

/** Longer than any client waits for an answer by default. */
const MAX_WAIT_S = 600;

export const WAIT_ARGUMENT: ArgumentSchema = {
  type: 'integer',
  minimum: 0,
  maximum: MAX_WAIT_S,
  default: 0,
  description:
    'wait so many seconds for its end before answering; 0 answers at once. Stay below the time that your client waits for a tool.',
};

const WORKFLOW_ARGUMENT: ArgumentSchema = {
  type: 'string',
  description:
    'name of a workflow (see list_workflows), or path of a workflow file below the working folder of the server',
};

export const listWorkflows: Tool = {
  name: 'list_workflows',
  title: 'List workflows',
  description: 'Lists the workflows that can be run by name from here. show_workflow tells what one takes.',
  effect: 'reads',
  arguments: {},
  required: [],
  result: { workflows: { type: 'array', items: { type: 'object' } } },
  call: async (_given, { client, caller, allowed }) => {
    const found = await client.call('workflow.list', { caller });
    const workflows = found
      .filter(({ name }) => allowed === null || allowed.includes(name))
      .map(({ name, version, description, source, is_valid, problems }) => ({
        name,
        version,
        description,
        source,
        is_valid,
        problems: problems.filter(({ severity }) => severity === 'error').map(problemLine),
      }));
    const lines = workflows.map(({ name, version, description, is_valid: isValid, problems }) =>
      printable(
        isValid
          ? `${name} ${version}: ${description}`
          : `${name} (cannot be run: ${problems[0] ?? 'invalid'})`,
      ),
    );
    return { data: { workflows }, text: lines.join('\n') || 'There are no workflows here yet.' };
  },
};

export const showWorkflow: Tool = {
  name: 'show_workflow',
  title: 'Show a workflow',
  description: 'Shows a workflow: its declared inputs, the context values that a run may replace, its steps.',
  effect: 'reads',
  arguments: { workflow: WORKFLOW_ARGUMENT },
  required: ['workflow'],
  result: {
    name: { type: 'string' },
    version: { type: 'string' },
    description: { type: 'string' },
    file: { type: 'string' },
    inputs: { type: 'object', description: 'name → {type, required, default, description}' },
    context: { type: 'object' },
    steps: { type: 'array', items: { type: 'object' } },
  },
  call: async (given, room) => {
    const target = clientTarget(textOf(given, 'workflow') ?? '', room);
    const shown = await room.client.call('workflow.show', { target, caller: room.caller });
    const definition = asObject(shown.definition);
    const { name, version, description, file } = shown;
    const data = {
      name,
      version,
      description,
      file,
      inputs: asObject(definition['inputs']),
      context: asObject(definition['context']),
      steps: asList(definition['steps']).map(asObject).map(stepFacts),
    };
    const { steps, ...rest } = data;
    return {
      data,
      text: [JSON.stringify(rest, null, 1), ...steps.map((step) => JSON.stringify(step))].join('\n'),
    };
  },
};

export const runWorkflow: Tool = {
  name: 'run_workflow',
  title: 'Run a workflow',
  description:
    'Starts a run of a workflow and answers its id and state. It runs under a supervisor, isolated, and goes on whatever becomes of this call. Follow it with instance_status. What a policy wants a person to approve waits for that person.',
  effect: 'writes',
  arguments: {
    workflow: WORKFLOW_ARGUMENT,
    inputs: {
      type: 'object',
      description: 'the inputs that the workflow declares, by name (see show_workflow)',
    },
    context: { type: 'object', description: 'context values to replace, by name' },
    wait_seconds: WAIT_ARGUMENT,
  },
  required: ['workflow'],
  result: RUN_RESULT,
  call: async (given, room) => {
    const { client, caller } = room;
    const { id, notices, problems } = await client.call('workflow.run', {
      target: clientTarget(textOf(given, 'workflow') ?? '', room),
      ...runEnvironment(caller),
      inputs: asObject(given['inputs']),
      context: asObject(given['context']),
      // A person can be asked: by q workflow approvals, in another terminal.
      approvals: 'wait',
    });
    room.progress(`${id} started`);
    const run = await followInstance(id, Number(given['wait_seconds'] ?? 0) * 1000, room);
    return runAnswer(run, [...warnings(problems), ...notices].map(printable));
  },
};

function stepFacts({ id, type, skill, agent, description }: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries({ id, type, skill, agent, description }).filter(
      (entry): entry is [string, Json] => entry[1] !== undefined,
    ),
  );
}

function warnings(problems: readonly Problem[]): string[] {
  return problems.map(problemLine);
}

function asObject(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function asList(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
