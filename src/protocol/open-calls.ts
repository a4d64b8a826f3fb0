/** Tool calls of agents whose process ended before their outcome was journaled. */
import type { AgentEvent, HookIntent } from '../engine/agent-events.ts';
import type { RunEvent } from '../engine/events.ts';

/** What is told of such a call: nobody knows whether it had its effect. */
export const INTERRUPTED_TEXT =
  'interrupted: the process ended while this call was open. It may or may not have had its effect; look before you repeat it.';
const UNDECIDED_TEXTS = {
  run: 'denied: the run ended before a person had decided about this call; it was not run',
  agent: 'denied: the agent was gone before a person had decided about this call; it was not run',
} as const;

/** One open call of a journal. */
export interface OpenCall {
  readonly path: string;
  readonly call: string;
  /** Of a hook: its event, and the call that it is about, which waits as long as the hook does. */
  readonly hook?: HookIntent;
}

/** Calls that were never run, since their approval has not answered a permit: as `callKey` writes them. */
export type WaitingCalls = ReadonlySet<string>;

export function callKey({ path, call }: Pick<OpenCall, 'path' | 'call'>): string {
  return `${path}\0${call}`;
}

/** The calls that an approval keeps back. */
export function waitingCalls(
  approvals: readonly {
    readonly request: { readonly path: string; readonly call: string | null };
    readonly answeredAt: number | null;
    readonly voidAt: number | null;
  }[],
): WaitingCalls {
  return new Set(
    approvals.flatMap(({ request: { path, call }, answeredAt, voidAt }) =>
      call === null || answeredAt !== null || voidAt !== null ? [] : [callKey({ path, call })],
    ),
  );
}

/** The calls without an outcome, in the order of their intents. */
export function openCalls(journal: readonly { readonly event: RunEvent }[]): OpenCall[] {
  const open = new Map<string, OpenCall>();
  for (const { event } of journal) {
    if (event.type === 'agent.tool_called') {
      const { path, call, hook } = event;
      open.set(callKey(event), { path, call, ...(hook === undefined ? {} : { hook }) });
    }
    if (event.type === 'agent.tool_ended') open.delete(callKey(event));
  }
  return [...open.values()];
}

/** Those of some open calls that an approval keeps back, their own or that of a hook that is about them. */
export function heldCalls(open: readonly OpenCall[], waiting: WaitingCalls): OpenCall[] {
  const about = open.flatMap(({ path, call, hook }) =>
    hook?.call != null && waiting.has(callKey({ path, call })) ? [callKey({ path, call: hook.call })] : [],
  );
  return open.filter((call) => waiting.has(callKey(call)) || about.includes(callKey(call)));
}

/** The outcomes that a journal lacks whose process is gone; calls that wait are left open. `hash` is SHA-256, in hex. */
export function interruptions(
  journal: readonly { readonly event: RunEvent }[],
  waiting: WaitingCalls,
  hash: (text: string) => string,
): AgentEvent[] {
  const open = openCalls(journal);
  const held = heldCalls(open, waiting);
  return open
    .filter((call) => !held.includes(call))
    .map((call) => ended(call, 'interrupted', INTERRUPTED_TEXT, hash));
}

/** The outcomes of calls that nobody will decide about any more: their run has ended, or the agent that asked is gone. */
export function undecided(
  calls: readonly OpenCall[],
  over: 'run' | 'agent',
  hash: (text: string) => string,
): AgentEvent[] {
  return calls.map((call) => ended(call, 'denied', UNDECIDED_TEXTS[over], hash));
}

function ended(
  { path, call, hook }: OpenCall,
  outcome: 'interrupted' | 'denied',
  result: string,
  hash: (text: string) => string,
): AgentEvent {
  return {
    type: 'agent.tool_ended',
    path,
    call,
    outcome,
    result,
    bytes: Buffer.byteLength(result),
    hash: hash(result),
    ...(hook === undefined ? {} : { hook: hook.event }),
  };
}
