/** Which tools a headless agent is trusted with, decided and written down once for the whole of its run. */
import { sha256 } from '../../audit/canonical.ts';
import type { ToolOutcome } from '../../engine/agent-events.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import { type AgentJob, type AgentWorld, Cancelled } from '../run.ts';
import type { HeadlessProfile } from './profiles.ts';

export interface Trust {
  /** As the program calls them. */
  readonly names: readonly string[];
  /** Does the work, ended early by a kill switch of a tool that is trusted: KILL_SWITCH. The trust ends with it. */
  during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

interface Around {
  readonly job: AgentJob;
  readonly world: AgentWorld;
  readonly signal: AbortSignal;
}

interface Granted {
  readonly tool: string;
  readonly call: string;
}

/**
 * Asks for every tool that may be trusted, with the intent in the journal first: a decision about no arguments, where
 * it is known that none would change it. Throws Cancelled.
 */
export async function grantTrust(
  around: Around,
  { profile, trusted }: { readonly profile: HeadlessProfile; readonly trusted: readonly string[] },
  iteration: number,
): Promise<Trust> {
  const names: string[] = [];
  const granted: Granted[] = [];
  let number = 0;
  // Calls that nobody sees are not counted: where they are limited, there are none.
  const offered = around.job.limits.maxToolCalls === null ? Object.entries(profile.tools) : [];
  for (const [name, tools] of offered) {
    if (!tools.every((tool) => trusted.includes(tool))) continue;
    let isWhole = true;
    for (const tool of tools) {
      number += 1;
      const grant: Granted = { tool, call: `c${iteration}-${number}` };
      if (await isPermitted(around, grant, iteration)) granted.push(grant);
      else isWhole = false;
    }
    if (isWhole) names.push(name);
  }
  return { names, during: (work) => during(around, granted, work) };
}

async function isPermitted(around: Around, { tool, call }: Granted, iteration: number): Promise<boolean> {
  const { job, world, signal } = around;
  world.record([{ type: 'agent.tool_called', path: job.path, iteration, call, tool, args: {} }]);
  const permit = await world.permit('tool', { iteration, call, tool }, signal);
  if (permit === null || signal.aborted) {
    settle(around, call, 'interrupted', 'cancelled before it began');
    throw new Cancelled();
  }
  if (permit.decision === 'allow') return true;
  settle(around, call, 'denied', `denied: ${permit.reason}`);
  return false;
}

async function during<T>(
  around: Around,
  granted: readonly Granted[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { world, signal } = around;
  const watched = granted.reduce(
    (inner, { tool }) =>
      async (given: AbortSignal): Promise<T> => {
        const end = await world.during(tool, given, inner);
        if ('value' in end) return end.value;
        throw new WorkflowError('KILL_SWITCH', `the kill switch ${end.switchedOff} is tripped for ${tool}`);
      },
    work,
  );
  let outcome: ToolOutcome = 'interrupted';
  try {
    const value = await watched(signal);
    if (!signal.aborted) outcome = 'ok';
    return value;
  } finally {
    for (const { call } of granted)
      settle(around, call, outcome, 'trusted for the whole run; its calls are not told');
  }
}

function settle({ job, world }: Around, call: string, outcome: ToolOutcome, result: string): void {
  const bytes = Buffer.byteLength(result);
  world.record([
    { type: 'agent.tool_ended', path: job.path, call, outcome, result, bytes, hash: sha256(result) },
  ]);
}
