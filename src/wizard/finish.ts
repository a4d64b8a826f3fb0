import { problemLine } from '../cli/base-command.ts';
import { startRun } from '../cli/run/start-run.ts';
import { styleFor } from '../cli/text/style.ts';
import { inheritedEnvironment } from '../client/caller.ts';
import type { Client } from '../client/client.ts';
import type { Json, JsonObject } from '../definition/workflow.ts';
import type { ExitStatus } from '../errors/table.ts';
import type { Caller } from '../protocol/caller.ts';
import type { Created } from './create.ts';

export async function register(client: Client, file: string, caller: Caller): Promise<void> {
  await client.call('workflow.register', { file, caller, env: inheritedEnvironment() });
}

/** Runs what was saved, as `run` does, and answers the command's exit status. */
export function runNow(client: Client, file: string, caller: Caller): Promise<ExitStatus> {
  const asked = { target: file, inputs: {}, context: {} };
  return startRun(client, caller, asked, { isJson: false, isDetached: false });
}

/** What was written, and the next command. */
export function createdText(
  { name, file, skills, definition, problems }: Created,
  isRegistered: boolean,
): string {
  const style = styleFor(process.stdout);
  const known =
    isRegistered ||
    (file ?? '').includes('/.amazonq/workflows/') ||
    (file ?? '').includes('/.aws/amazonq/workflows/');
  return [
    `${style.green('✓')} ${file}`,
    ...skills.map((skill) => `${style.green('✓')} ${skill}`),
    ...(isRegistered ? [`${style.green('✓')} registered ${name}`] : []),
    ...problems.map((problem) => `  ${problemLine(problem)}`),
    ...(hasSchedule(definition) && !isRegistered
      ? [`${style.yellow('!')} Its schedule holds when it is registered: q workflow register ${file}`]
      : []),
    style.dim(`Run it with: q workflow run ${known ? name : file}`),
  ].join('\n');
}

function hasSchedule(definition: Json): boolean {
  const triggers = objectOf(definition)['triggers'];
  return Array.isArray(triggers) && triggers.some((trigger) => objectOf(trigger)['type'] === 'schedule');
}

function objectOf(value: Json): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
