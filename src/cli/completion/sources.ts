/** Where names come from while a command line is written. Starts nothing, waits for nothing long, and fails to nothing. */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, connect } from '../../client/client.ts';
import { ERROR_TABLE } from '../../errors/table.ts';
import { systemCode } from '../../errors/workflow-error.ts';
import type { Caller } from '../../protocol/caller.ts';
import { type Home, instanceFolder } from '../../protocol/home.ts';
import { isObject } from '../../protocol/is-object.ts';
import { listLogs } from '../logs/log-files.ts';
import { resolveTarget } from '../run/arguments.ts';
import type { Candidate } from './request.ts';

/** A supervisor that is slower is not waited for: a key was pressed. */
const ANSWER_MS = 400;
const MOST_INSTANCES = 50;

export interface Sources {
  workflows(): Promise<readonly Candidate[]>;
  /** `name@number` of each content that was registered under a name. */
  versions(workflow: string): Promise<readonly Candidate[]>;
  instances(): Promise<readonly Candidate[]>;
  /** Of an instance, by its id, a prefix of it, or `latest`. */
  steps(instance: string): Promise<readonly Candidate[]>;
  /** `name=` of each input that a workflow declares, by its name or the path of its file. */
  inputs(workflow: string): Promise<readonly Candidate[]>;
  /** The same for each value of its context. */
  contexts(workflow: string): Promise<readonly Candidate[]>;
  /** The same for each parameter of a skill, by its name or alias. */
  parameters(skill: string): Promise<readonly Candidate[]>;
  skills(): Promise<readonly Candidate[]>;
  agents(): Promise<readonly Candidate[]>;
  codes(): readonly Candidate[];
}

export function openSources(home: Home, caller: Caller): Sources {
  return {
    workflows: async () => {
      const listed = await asked(home, (client) => client.call('workflow.list', { caller }));
      if (listed !== null) return listed.map(({ name, description }) => ({ value: name, description }));
      const { folderSources } = await import('../../supervisor/definitions/workflow-folders.ts');
      const found: Candidate[] = [];
      for await (const { name, file } of folderSources(caller))
        found.push({ value: name, description: file });
      return found;
    },
    versions: async (name) => {
      const listed = await asked(home, (client) => client.call('workflow.versions', { name }));
      return (listed ?? []).map(({ workflow, number, version, registered_at, is_current }) => ({
        value: `${workflow}@${number}`,
        description: `${version}, registered ${registered_at.slice(0, 10)}${is_current ? ', current' : ''}`,
      }));
    },
    instances: async () => {
      const request = { isLiveOnly: false, limit: MOST_INSTANCES };
      const listed = await asked(home, (client) => client.call('instance.list', request));
      return (
        listed?.map(({ id, workflow, status }) => ({ value: id, description: `${workflow}, ${status}` })) ??
        idsIn(home).map((value) => ({ value, description: '' }))
      );
    },
    steps: async (instance) => {
      const listed = await asked(home, (client) => client.call('instance.status', { id: instance }));
      if (listed !== null)
        return listed.steps.map(({ path, status }) => ({ value: path, description: status }));
      // Without a supervisor: the steps that have written something.
      const ids = idsIn(home);
      const id = instance === 'latest' ? ids[0] : ids.find((each) => each.startsWith(instance));
      const logs = id === undefined ? [] : listLogs(instanceFolder(home, id)).logs;
      return [...new Set(logs.map(({ path }) => path))].map((value) => ({ value, description: '' }));
    },
    inputs: async (workflow) => {
      const { inputs } = await definitionOf(home, workflow, caller);
      return Object.entries(isObject(inputs) ? inputs : {}).map(([name, input]) => ({
        value: `${name}=`,
        description: isObject(input) && typeof input['description'] === 'string' ? input['description'] : '',
      }));
    },
    contexts: async (workflow) => {
      const { context } = await definitionOf(home, workflow, caller);
      const places = isObject(context) ? [context['readonly'], context['mutable']] : [];
      return places.flatMap((place) =>
        Object.entries(isObject(place) ? place : {}).map(([name, value]) => ({
          value: `${name}=`,
          description: `${JSON.stringify(value)} in the file`,
        })),
      );
    },
    parameters: async (skill) => {
      const declared = await (await import('../skills.ts')).skillParameters(skill, caller);
      return declared.map(({ name, description }) => ({ value: `${name}=`, description }));
    },
    skills: async () => named(await (await import('../skills.ts')).listSkills(caller)),
    agents: async () => named(await (await import('../agents.ts')).listAgents(caller)),
    codes: () => Object.entries(ERROR_TABLE).map(([value, { meaning }]) => ({ value, description: meaning })),
  };
}

/** What a running supervisor shows of a workflow; empty when nobody says. */
async function definitionOf(
  home: Home,
  workflow: string,
  caller: Caller,
): Promise<Readonly<Record<string, unknown>>> {
  const target = resolveTarget(workflow, caller.workspace);
  const shown = await asked(home, (client) => client.call('workflow.show', { target, caller }));
  return isObject(shown?.definition) ? shown.definition : {};
}

function named(parts: readonly { name: string; description: string }[]): Candidate[] {
  return parts.map(({ name, description }) => ({ value: name, description }));
}

/** What a running supervisor answers; null without one, and when it refuses or is slow. */
async function asked<T>(home: Home, ask: (client: Client) => Promise<T>): Promise<T | null> {
  let client: Client | null = null;
  try {
    client = await connect(home, 'must_run', { answerDeadlineMs: ANSWER_MS });
    return await ask(client);
  } catch (error) {
    // Whatever it is, the person is in the middle of a line: no message could be shown.
    if (error instanceof Error) return null;
    throw error;
  } finally {
    client?.close();
  }
}

/** The newest first. */
function idsIn(home: Home): string[] {
  try {
    return readdirSync(home.instancesFolder)
      .map((id) => ({ id, at: statSync(join(home.instancesFolder, id)).mtimeMs }))
      .sort((a, b) => b.at - a.at)
      .slice(0, MOST_INSTANCES)
      .map(({ id }) => id);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}
