import { setTimeout as wait } from 'node:timers/promises';
import { inheritedEnvironment } from '../../client/caller.ts';
import { type Client, connect } from '../../client/client.ts';
import { ensureWorkflowError, WorkflowError } from '../../errors/workflow-error.ts';
import type { Caller } from '../../protocol/caller.ts';
import type { StatusDocument } from '../../protocol/control.ts';
import type { DrillEvidence } from '../../protocol/guard-documents.ts';
import type { Home } from '../../protocol/home.ts';
import { type Answer, checkKill, checkThere, type DrillFacts } from './drill-checks.ts';
import { CANARY_PROCESSES, CANARY_STEP, type Canary, makeCanary } from './kill-canary.ts';
import { stillRunning } from './kill-directly.ts';
import { tripSwitch } from './kill-run.ts';
import { killStatus } from './kill-status.ts';

interface Surroundings {
  readonly home: Home;
  readonly client: Client;
  readonly caller: Caller;
  readonly canary: Canary;
  readonly signal: AbortSignal;
}

const ANSWER_DEADLINE_MS = 15_000;
const SINGS_WITHIN_MS = 20_000;
const ENDS_WITHIN_MS = 10_000;
const LOOK_MS = 20;
const REASON = 'drill';

/**
 * Proves the kill switch on a canary of its own, and leaves the evidence in the audit. Touches no other run; its own
 * switch is re-armed and its workspace removed, whatever happens. Throws STOPPED when `signal` aborts.
 */
export async function drill(home: Home, caller: Caller, signal: AbortSignal): Promise<DrillEvidence> {
  const client = await connect(home, 'start', { answerDeadlineMs: ANSWER_DEADLINE_MS });
  try {
    const canary = makeCanary();
    try {
      const place = { ...caller, workspace: canary.workspace };
      const evidence = await drillOn({ home, client, caller: place, canary, signal });
      await client.call('kill.drilled', { evidence, caller });
      return evidence;
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new WorkflowError('STOPPED', 'the drill was interrupted and proves nothing', {
        cause: error,
        hint: 'Its canary was ended. Run q workflow kill drill again.',
      });
    } finally {
      canary.remove();
    }
  } finally {
    client.close();
  }
}

async function drillOn(around: Surroundings): Promise<DrillEvidence> {
  const { client, caller, canary, signal } = around;
  const startedAt = new Date().toISOString();
  const request = { target: canary.file, caller, inputs: {}, context: {}, env: inheritedEnvironment() };
  const { id } = await client.call('workflow.run', request);
  const scope = `instance:${id}`;
  const end = endOf(client);
  try {
    await client.call('instance.watch', { id });
    const { processes, hasEnded } = await untilItSings(around, id, end);
    const there = checkThere(processes, hasEnded);
    const common = { id, scope, started_at: startedAt, processes };
    if (!there.held) return { ...common, held: false, ms_until_empty: null, checks: [there] };
    signal.throwIfAborted();
    const facts = await killIt(around, id, end);
    const checks = [there, ...checkKill(facts)];
    const held = checks.every((check) => check.held);
    return { ...common, held, ms_until_empty: facts.msUntilEmpty, checks };
  } finally {
    await leaveNothing(around, id, scope);
  }
}

/** Trips the switch, looks at what came of it, tries what is refused now, re-arms. */
async function killIt(
  { home, client, caller, canary, signal }: Surroundings,
  id: string,
  ended: Promise<StatusDocument>,
): Promise<DrillFacts> {
  const scope = `instance:${id}`;
  const trippedAt = performance.now();
  const killed = await tripSwitch(home, { scope, mode: 'kill', reason: REASON, caller });
  const bytesAtKill = canary.written();
  const left = await processesOf(home, id);
  const msUntilEmpty = Math.round(performance.now() - trippedAt);
  const end = await within(ended, ENDS_WITHIN_MS, signal);
  const resume = { id, pins: 'check', caller } as const;
  const plain = await answerTo(() => client.call('instance.resume', { ...resume, from: null }));
  const restart = await answerTo(() => client.call('instance.resume', { ...resume, from: CANARY_STEP }));
  const permit = await client.call('kill.probe', { id, path: CANARY_STEP });
  const { incarnations: starts } = await client.call('instance.status', { id });
  const bytesLater = canary.written() - bytesAtKill;
  await client.call('kill.rearm', { scope, reason: REASON, phrase: null, caller });
  const isRearmed = !(await isTripped(home, scope));
  return {
    killed,
    left,
    msUntilEmpty,
    end,
    resume: plain,
    restart,
    permit,
    starts,
    bytesAtKill,
    bytesLater,
    isRearmed,
  };
}

async function answerTo(ask: () => Promise<unknown>): Promise<Answer> {
  try {
    await ask();
    return { code: null, reason: '' };
  } catch (error) {
    const { code, message } = ensureWorkflowError(error);
    return { code, reason: message };
  }
}

/** Ends the canary and re-arms its switch, where the drill did not get so far. */
async function leaveNothing(
  { home, client, caller }: Surroundings,
  id: string,
  scope: string,
): Promise<void> {
  const { ended_at: endedAt } = await client.call('instance.status', { id });
  if (endedAt === null) await client.call('instance.stop', { id, isForced: true, caller });
  if (await isTripped(home, scope))
    await client.call('kill.rearm', { scope, reason: REASON, phrase: null, caller });
}

async function isTripped(home: Home, scope: string): Promise<boolean> {
  const { latches } = await killStatus(home, false);
  return latches.some((latch) => latch.scope === scope);
}

/** The number of its processes once all are there and it writes; what there is when it ends or takes too long. */
async function untilItSings(
  { home, canary, signal }: Surroundings,
  id: string,
  end: Promise<StatusDocument>,
): Promise<{ processes: number; hasEnded: boolean }> {
  const deadline = performance.now() + SINGS_WITHIN_MS;
  for (;;) {
    const processes = await processesOf(home, id);
    const isThere = processes >= CANARY_PROCESSES && canary.written() > 0;
    const hasEnded = (await within(end, isThere ? 0 : LOOK_MS, signal)) !== null;
    if (isThere || hasEnded || performance.now() > deadline) return { processes, hasEnded };
  }
}

/** Looked at from here, whatever the supervisor says. */
async function processesOf(home: Home, id: string): Promise<number> {
  const running = await stillRunning(home, [`instance:${id}`]);
  return running.reduce((sum, { processes }) => sum + processes, 0);
}

function endOf(client: Client): Promise<StatusDocument> {
  return new Promise((resolve) => {
    client.onNotification((notification) => {
      if (notification.method === 'instance.ended') resolve(notification.params);
    });
  });
}

/** Null when it takes longer. Leaves no timer behind. */
async function within<T>(promise: Promise<T>, ms: number, signal: AbortSignal): Promise<T | null> {
  const over = new AbortController();
  try {
    return await Promise.race([promise, wait(ms, null, { signal: AbortSignal.any([signal, over.signal]) })]);
  } finally {
    over.abort();
  }
}
