/**
 * Runs the hooks of an agent file around the loop. Each is journaled and decided like a call of a tool, under a name of
 * its own; what has its outcome in the journal is not run again. A hook narrows: it can block a call that is allowed,
 * and never has one run.
 */
import type { JsonObject } from '../../definition/workflow.ts';
import type { AgentEvent, HookEvent, ToolOutcome } from '../../engine/agent-events.ts';
import { ensureWorkflowError } from '../../errors/workflow-error.ts';
import { hookName } from '../../guard/hook-names.ts';
import type { PermitApproval } from '../../protocol/instance-link.ts';
import { callEnded, FATAL, grantOf } from '../native/call-end.ts';
import type { CallState, TurnState } from '../native/transcript.ts';
import { approvalOf, Cancelled, type LoopRun, Suspended } from '../run.ts';
import { type AgentHook, isAbout } from './hook.ts';
import { hookResult } from './hook-result.ts';

/** What becomes of a call that is allowed: nothing stands against it, a hook does, or a person has to decide about a hook. */
export type BeforeCall =
  | { readonly kind: 'free' }
  | { readonly kind: 'blocked'; readonly reason: string }
  | { readonly kind: 'waits'; readonly approval: PermitApproval };

interface Use {
  readonly event: HookEvent;
  readonly index: number;
  readonly hook: AgentHook;
  /** What it belongs to: an attempt, a call, or an answer. With event and index it is one thing in the whole step. */
  readonly anchor: string;
  /** The call that it is about, with its tool. */
  readonly about: { readonly call: string; readonly tool: string } | null;
  /** What of the event it is told. */
  readonly facts: JsonObject;
}

type Ran =
  | { readonly kind: 'done'; readonly outcome: ToolOutcome; readonly text: string }
  | { readonly kind: 'waits'; readonly approval: PermitApproval };

/** agentSpawn and userPromptSubmit, before the first request: what they print becomes part of the conversation. */
export async function openingHooks(run: LoopRun): Promise<void> {
  const { task, transcript } = run;
  if (transcript.last !== null) return;
  const anchor = `a${task.attempt}`;
  await runAll(run, [
    ...usesAt(run, 'agentSpawn', anchor, null, {}),
    ...usesAt(run, 'userPromptSubmit', anchor, null, { prompt: task.task }),
  ]);
}

/** preToolUse, one after the other, until one blocks. Throws Cancelled. */
export async function beforeCall(run: LoopRun, { call, args }: CallState, tool: string): Promise<BeforeCall> {
  const facts = { tool_name: tool, tool_input: args };
  for (const use of usesAt(run, 'preToolUse', call, { call, tool }, facts)) {
    const ran = await runHook(run, use);
    if (ran.kind === 'waits') return ran;
    // One that was interrupted had no say: nobody knows what it would have been.
    if (ran.outcome === 'denied' || ran.outcome === 'interrupted')
      return { kind: 'blocked', reason: `a hook of the agent file blocked it: ${ran.text}` };
  }
  return { kind: 'free' };
}

/** postToolUse of a call that has just been run; answers what a person has to decide before they are over. */
export async function afterCall(run: LoopRun, state: CallState): Promise<readonly PermitApproval[]> {
  for (const use of usesAfter(run, state)) {
    const ran = await runHook(run, use);
    if (ran.kind === 'waits') return [ran.approval];
  }
  return [];
}

/** postToolUse of each call of the answer that was run, as far as a crash or a person kept them from being run. */
export async function afterCalls(run: LoopRun, turn: TurnState): Promise<void> {
  await runAll(
    run,
    turn.calls.flatMap((state) => usesAfter(run, state)),
  );
}

function usesAfter(run: LoopRun, { call, tool, args, outcome, result }: CallState): Use[] {
  if (tool === null || (outcome !== 'ok' && outcome !== 'error')) return [];
  const response = { success: outcome === 'ok', result: [result] };
  const facts = { tool_name: tool, tool_input: args, tool_response: response };
  return usesAt(run, 'postToolUse', call, { call, tool }, facts);
}

/** stop, after the answer that ends the step. */
export async function closingHooks(run: LoopRun, { iteration, text }: TurnState): Promise<void> {
  await runAll(run, usesAt(run, 'stop', `i${iteration}`, null, { assistant_response: text }));
}

function usesAt(
  { task }: LoopRun,
  event: HookEvent,
  anchor: string,
  about: Use['about'],
  facts: JsonObject,
): Use[] {
  const hooks = task.hooks?.hooks[event] ?? [];
  return hooks.flatMap((hook, index) =>
    about === null || isAbout(hook, about.tool) ? [{ event, index, hook, anchor, about, facts }] : [],
  );
}

/** One after the other. Their failures are no failure of the step; throws Suspended when a person has to decide. */
async function runAll(run: LoopRun, uses: readonly Use[]): Promise<void> {
  for (const use of uses) {
    const ran = await runHook(run, use);
    if (ran.kind === 'waits') throw new Suspended([ran.approval]);
  }
}

async function runHook(run: LoopRun, use: Use): Promise<Ran> {
  const { task, world, transcript, signal } = run;
  const { event, index, anchor, about, hook } = use;
  const call = `${anchor}-${event}-${index + 1}`;
  const known = transcript.hooks.get(call);
  if (known?.outcome != null) return { kind: 'done', outcome: known.outcome, text: known.result };
  const tool = hookName(event);
  const iteration = transcript.iterations;
  const intent: AgentEvent = {
    type: 'agent.tool_called',
    path: task.path,
    iteration,
    call,
    tool,
    args: { event, command: hook.command, ...(about === null ? {} : { tool: about.tool }) },
    hook: { event, call: about?.call ?? null },
  };
  const end = (outcome: ToolOutcome, text: string, bytes?: number): Ran => {
    const ended = {
      ...callEnded(run, call, outcome, text, { bytes, maxBytes: hook.maxOutputBytes }),
      hook: event,
    };
    world.record([ended]);
    return { kind: 'done', outcome, text: ended.result };
  };
  const cached = known === undefined ? task.hooks?.outputs.find(event, index, hook) : undefined;
  if (cached !== undefined) {
    // Nothing runs: it is on record all the same, in one commit.
    world.record([{ ...intent, hook: { ...intent.hook, event, call: null, isCached: true } }]);
    return end('ok', cached);
  }
  // One that waited for a person has its intent in the journal.
  if (known === undefined) world.record([intent]);
  const permit = await world.permit('hook', { iteration, call, tool }, signal);
  if (permit === null || signal.aborted) {
    end('interrupted', 'cancelled before it was run');
    throw new Cancelled();
  }
  if (permit.decision === 'wait') return { kind: 'waits', approval: approvalOf(permit) };
  if (permit.decision === 'deny') return end('denied', `the hook was refused: ${permit.reason}`);
  const done = await execute(run, use, grantOf(permit));
  if (done.outcome === 'ok') task.hooks?.outputs.keep(event, index, hook, done.text);
  const ran = end(done.outcome, done.text, done.bytes);
  if (signal.aborted) throw new Cancelled();
  if (done.fatal !== undefined) throw done.fatal;
  return ran;
}

interface Executed {
  readonly outcome: ToolOutcome;
  readonly text: string;
  readonly bytes?: number;
  /** A failure of ours, with which the step ends. */
  readonly fatal?: Error;
}

async function execute(
  { task, world, clock, signal }: LoopRun,
  { event, hook, facts }: Use,
  grant: ReturnType<typeof grantOf>,
): Promise<Executed> {
  const { hooks } = task;
  if (hooks === null) return { outcome: 'error', text: 'this agent has no hooks' };
  const stdin = JSON.stringify({
    hook_event_name: event,
    cwd: hooks.cwd,
    session_id: hooks.session,
    ...facts,
  });
  try {
    const ended = await clock.during(() =>
      world.during('hook', signal, (either) => hooks.run(hook, stdin, grant.grant ?? null, either)),
    );
    if (signal.aborted) return { outcome: 'interrupted', text: 'cancelled while it ran' };
    if ('switchedOff' in ended)
      return { outcome: 'interrupted', text: `ended by the kill switch ${ended.switchedOff}` };
    return hookResult(event, hook, ended.value);
  } catch (error) {
    if (signal.aborted) return { outcome: 'interrupted', text: 'cancelled while it ran' };
    const known = ensureWorkflowError(error);
    const text = `the hook could not be run: ${known.code}: ${known.message}`;
    const outcome = event === 'preToolUse' ? 'denied' : 'error';
    return { outcome, text, ...(FATAL.has(known.code) ? { fatal: known } : {}) };
  }
}
