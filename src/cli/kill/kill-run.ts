import { existsSync } from 'node:fs';
import { type Client, connect } from '../../client/client.ts';
import { ensureWorkflowError } from '../../errors/workflow-error.ts';
import { type Latch, writeLatch } from '../../guard/kill/latch-files.ts';
import type { Caller } from '../../protocol/caller.ts';
import type { KillDocument, LatchDocument } from '../../protocol/guard-documents.ts';
import { type Home, prepareHome, unusable } from '../../protocol/home.ts';
import { fullScope } from './given-scope.ts';
import { rearmCommand } from './rearm-command.ts';

export { KILL_MODES } from '../../guard/kill/latch-files.ts';

export interface KillRequest {
  readonly scope: string;
  readonly mode: LatchDocument['mode'];
  readonly reason: string;
  readonly caller: Caller;
}

/** A supervisor that has not ended everything by then hangs: the command does it itself. */
const ANSWER_DEADLINE_MS = { stop: 25_000, kill: 8_000, quarantine: 8_000 } as const;

/**
 * Trips a kill switch. The latch is a durable file before anybody is asked to end something, so it holds whatever
 * follows; where the disk takes none, what is covered is ended all the same. The supervisor ends it; where none answers,
 * this process does. Throws USAGE for what is no scope, and what `fullScope` throws: then nothing is tripped.
 */
export async function tripSwitch(home: Home, request: KillRequest): Promise<KillDocument> {
  const { mode, reason, caller } = request;
  const scope = await fullScope(home, request.scope);
  const latch: Latch = { scope, mode, reason, by: `person ${caller.person}`, at: Date.now() };
  const fault = putLatch(home, latch);
  const document = await endCovered(home, latch, caller);
  return fault === null ? document : { ...document, latch_fault: fault };
}

/** Why the disk takes no file, or null. Throws what is wrong with a state folder that is not there, or not ours. */
function putLatch(home: Home, latch: Latch): string | null {
  try {
    prepareHome(home);
    writeLatch(home.killFolder, latch);
    return null;
  } catch (thrown) {
    const error = unusable(home, thrown);
    if (error.code === 'HOME_UNSAFE' || !existsSync(home.folder)) throw error;
    return error.message;
  }
}

async function endCovered(home: Home, latch: Latch, caller: Caller): Promise<KillDocument> {
  try {
    const client = await connect(home, 'must_run', { answerDeadlineMs: ANSWER_DEADLINE_MS[latch.mode] });
    return await askToTrip(client, latch, caller);
  } catch (error) {
    if (ensureWorkflowError(error).code !== 'SUPERVISOR_UNREACHABLE') throw error;
    const { killDirectly } = await import('./kill-directly.ts');
    return killDirectly(home, latch);
  }
}

async function askToTrip(client: Client, latch: Latch, caller: Caller): Promise<KillDocument> {
  const { scope, mode, reason, at } = latch;
  try {
    return await client.call('kill.trip', { scope, mode, reason, at, caller });
  } finally {
    client.close();
  }
}

export function killText(document: KillDocument): string {
  const { scope, mode, instances, escalated, survivors, ms, carried_out_by: who, latch_fault } = document;
  const ended = instances.map(({ id, workflow, found, killed, failure }) => {
    const whole = escalated.includes(id) ? ', the whole run: it could not end the part alone' : '';
    return `  ${id} ${workflow}: ${failure ?? `${found} processes found, ${killed} killed${whole}`}`;
  });
  const how = who === 'supervisor' ? '' : ' (by this command: no supervisor answered)';
  const count = instances.length === 1 ? '1 instance' : `${instances.length} instances`;
  const left =
    survivors === 0 ? 'no process left' : `${survivors === 1 ? '1 PROCESS' : `${survivors} PROCESSES`} LEFT`;
  const what = instances.length === 0 ? 'nothing of it ran' : `${count} ended in ${ms} ms, ${left}`;
  return [
    `${scope} is tripped (${mode}): ${what}${how}`,
    ...ended,
    ...(latch_fault === undefined
      ? [`Nothing of it starts until: ${rearmCommand(scope)}`]
      : [
          `NO FILE HOLDS IT: ${latch_fault}`,
          'Mend that, then trip it again: until then a new start may pass.',
        ]),
  ].join('\n');
}
