import { stopRun } from '../run/stop-run.ts';
import { mark, PLAIN, printable } from '../text/style.ts';
import { textOf } from './check-arguments.ts';
import { followInstance } from './follow-instance.ts';
import { RUN_RESULT, runAnswer } from './run-document.ts';
import type { ArgumentSchema, Tool } from './tool.ts';
import { WAIT_ARGUMENT } from './workflow-tools.ts';

export const ID_ARGUMENT: ArgumentSchema = {
  type: 'string',
  maxLength: 64,
  description: 'id of an instance as run_workflow answered it, the beginning of one, or latest',
};

export const listInstances: Tool = {
  name: 'list_instances',
  title: 'List runs',
  description: 'Lists runs of workflows (instances), the newest first.',
  effect: 'reads',
  arguments: {
    all: { type: 'boolean', default: false, description: 'also those that have ended' },
    limit: { type: 'integer', minimum: 1, maximum: 200, default: 20, description: 'how many at most' },
  },
  required: [],
  result: { instances: { type: 'array', items: { type: 'object' } } },
  call: async (given, { client }) => {
    const isAll = given['all'] === true;
    const limit = Number(given['limit'] ?? 20);
    const instances = await client.call('instance.list', { isLiveOnly: !isAll, limit });
    const lines = instances.map(({ id, workflow, status, reason, created_at: at }) =>
      printable(
        `${mark(status, PLAIN)} ${id} ${workflow} ${status}${reason === null ? '' : ` (${reason})`}, made ${at}`,
      ),
    );
    return {
      data: { instances },
      text:
        lines.join('\n') ||
        (isAll ? 'Nothing has been run yet.' : 'Nothing runs. all: true lists what has ended.'),
    };
  },
};

export const instanceStatus: Tool = {
  name: 'instance_status',
  title: 'State of a run',
  description:
    'Tells the state of a run with its steps, their outputs and what failed. With wait_seconds it waits for the end first.',
  effect: 'reads',
  arguments: { id: ID_ARGUMENT, wait_seconds: WAIT_ARGUMENT },
  required: ['id'],
  result: RUN_RESULT,
  call: async (given, room) => {
    const run = await room.client.call('instance.status', { id: textOf(given, 'id') ?? '' });
    const waitMs = Number(given['wait_seconds'] ?? 0) * 1000;
    return runAnswer(waitMs === 0 ? run : await followInstance(run.id, waitMs, room));
  },
};

export const stopInstance: Tool = {
  name: 'stop_instance',
  title: 'Stop a run',
  description:
    'Ends a run and all its processes, and answers how it ended. What was done stays done. Ask the person before you stop what you did not start.',
  effect: 'ends',
  arguments: {
    id: ID_ARGUMENT,
    force: {
      type: 'boolean',
      default: false,
      description: 'kill its processes at once, without a grace time',
    },
  },
  required: ['id'],
  result: RUN_RESULT,
  call: async (given, { client, caller }) =>
    runAnswer(await stopRun(client, textOf(given, 'id') ?? '', given['force'] === true, caller)),
};
