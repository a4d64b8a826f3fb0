/** The tool calls of one answer: intent, decision, run, outcome; each by itself, several at once. */
import type { AgentEvent, ToolOutcome } from '../../engine/agent-events.ts';
import { ensureError, ensureWorkflowError } from '../../errors/workflow-error.ts';
import { canonicalTool } from '../../guard/tools.ts';
import type { PermitApproval } from '../../protocol/instance-link.ts';
import { INTERRUPTED_TEXT } from '../../protocol/open-calls.ts';
import { afterCall, type BeforeCall, beforeCall } from '../hooks/run-hooks.ts';
import { approvalOf, type CallEnd, Cancelled, type LoopRun, Suspended } from '../run.ts';
import { callEnded, FATAL, grantOf } from './call-end.ts';
import { isKnownTool, type Tool, type ToolCall, type ToolResult } from './tool-box.ts';
import type { CallState, TurnState } from './transcript.ts';

const MAX_PARALLEL = 4;

/**
 * Settles every call of the answer that has no outcome yet. Resolves, or throws, when none is under way any more:
 * Suspended when some have to be approved by a person, after all the others have their outcome.
 */
export async function runCalls(run: LoopRun, turn: TurnState): Promise<void> {
  const waiting = turn.calls.filter(({ outcome }) => outcome === null);
  const failures: unknown[] = [];
  const held: PermitApproval[] = [];
  const worker = async (): Promise<void> => {
    for (let call = waiting.shift(); call !== undefined && !run.signal.aborted; call = waiting.shift())
      try {
        held.push(...(await settle(run, turn.iteration, call)));
      } catch (error) {
        failures.push(error);
        return;
      }
  };
  await Promise.all(Array.from({ length: MAX_PARALLEL }, worker));
  if (failures.length > 0) throw failures[0];
  if (run.signal.aborted) throw new Cancelled();
  if (held.length > 0) throw new Suspended(held);
}

/** Answers what the call waits for, if it does. */
async function settle(run: LoopRun, iteration: number, state: CallState): Promise<readonly PermitApproval[]> {
  const { task, world, signal } = run;
  const { call, name, args } = state;
  const found = task.tools.find(name);
  const tool = found?.tool ?? canonicalTool(name);
  const intent: AgentEvent = { type: 'agent.tool_called', path: task.path, iteration, call, tool, args };
  // One that waited for a person has its intent in the journal.
  const intents = state.tool === null ? [intent] : [];
  const refused = refusalOf(run, state, found);
  if (refused !== null || found === null) {
    // Nothing is run, so nothing has to be durable before: both go into one commit.
    world.record([
      ...intents,
      callEnded(run, call, refused?.outcome ?? 'error', refused?.text ?? 'unknown tool'),
    ]);
    return [];
  }
  world.record(intents);
  const permit = await world.permit('tool', { iteration, call, tool }, signal);
  if (permit === null || signal.aborted) {
    world.record([callEnded(run, call, 'interrupted', 'cancelled before it was run')]);
    throw new Cancelled();
  }
  if (permit.decision === 'wait') return [approvalOf(permit)];
  if (permit.decision === 'deny') {
    world.record([callEnded(run, call, 'denied', `denied: ${permit.reason}`)]);
    return [];
  }
  const before = await beforeAllowed(run, state, tool);
  if (before.kind === 'waits') return [before.approval];
  if (before.kind === 'blocked') world.record([callEnded(run, call, 'denied', `denied: ${before.reason}`)]);
  else {
    await execute(run, found, state, grantOf(permit));
    return await afterCall(run, state);
  }
  return [];
}

/** What the hooks of the agent file say of a call that the policies allow. */
async function beforeAllowed(run: LoopRun, state: CallState, tool: string): Promise<BeforeCall> {
  try {
    return await beforeCall(run, state, tool);
  } catch (error) {
    const text = error instanceof Cancelled ? 'cancelled' : `stopped: ${ensureError(error).message};`;
    run.world.record([callEnded(run, state.call, 'interrupted', `${text} before it was run`)]);
    throw error;
  }
}

/** Runs exactly what was journaled and decided. */
async function execute(
  run: LoopRun,
  tool: Tool,
  { call, args }: CallState,
  grant: Pick<ToolCall, 'grant'>,
): Promise<void> {
  const { world, clock, signal } = run;
  let done: CallEnd<ToolResult>;
  try {
    done = await clock.during(() =>
      world.during(tool.tool, signal, (either) => tool.run({ call, args, ...grant }, either)),
    );
  } catch (error) {
    if (signal.aborted) return interrupt(run, call);
    const known = ensureWorkflowError(error);
    world.record([callEnded(run, call, 'error', `${known.code}: ${known.message}`)]);
    if (FATAL.has(known.code)) throw known;
    return;
  }
  if (signal.aborted) return interrupt(run, call);
  if ('switchedOff' in done) {
    const text = `ended by the kill switch ${done.switchedOff}; nobody knows how far it came`;
    world.record([callEnded(run, call, 'interrupted', text)]);
    return;
  }
  const result = done.value;
  world.record([callEnded(run, call, result.isError ? 'error' : 'ok', result.text, result)]);
}

function interrupt(run: LoopRun, call: string): never {
  run.world.record([callEnded(run, call, 'interrupted', INTERRUPTED_TEXT)]);
  throw new Cancelled();
}

function refusalOf(
  { task }: LoopRun,
  { name, args, malformed }: CallState,
  tool: Tool | null,
): { readonly outcome: ToolOutcome; readonly text: string } | null {
  if (tool === null) {
    const names = task.tools.specs.map((spec) => spec.name).join(', ');
    const known = names === '' ? 'this agent has no tools' : `the tools of this agent are ${names}`;
    return isKnownTool(name)
      ? { outcome: 'denied', text: `denied: ${name} is not allowed here; ${known}` }
      : { outcome: 'error', text: `there is no tool ${name}; ${known}` };
  }
  if (malformed !== undefined) return { outcome: 'error', text: malformed };
  const wrong = tool.check(args);
  if (wrong !== null) return { outcome: 'error', text: wrong };
  const reason = task.tools.refusal(tool, args);
  return reason === null ? null : { outcome: 'denied', text: `denied: ${reason}` };
}
