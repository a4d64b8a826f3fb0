/** What a call of a tool and a hook have in common: how they are told, and what of a permit they run with. */
import type { NetworkGrant } from '../../../sandbox/network/grants.ts';
import { sha256 } from '../../audit/canonical.ts';
import type { AgentEvent, ToolOutcome } from '../../engine/agent-events.ts';
import type { ErrorCode } from '../../errors/table.ts';
import type { Permit } from '../../protocol/instance-link.ts';
import type { LoopRun } from '../run.ts';
import { capText, cleanText } from '../text.ts';

/** Failures of ours, not of the tool: the step ends with them, a model cannot mend them. */
export const FATAL: ReadonlySet<ErrorCode> = new Set([
  'ISOLATION_MISSING',
  'SANDBOX_FAILED',
  'SCOPE_FAILED',
  'INTERNAL',
]);

type CallEnded = Extract<AgentEvent, { type: 'agent.tool_ended' }> & { readonly result: string };

/** Cleaned before it is masked, so that nothing invisible hides a secret; masked before it is cut in two. */
export function callEnded(
  run: LoopRun,
  call: string,
  outcome: ToolOutcome,
  raw: string,
  { bytes, maxBytes }: { readonly bytes?: number | undefined; readonly maxBytes?: number } = {},
): CallEnded {
  // Of a hook, which has its own bound, only one stream is told.
  const totalBytes = maxBytes === undefined ? bytes : undefined;
  const result = capText(run.world.mask(cleanText(raw)), maxBytes, totalBytes);
  return {
    type: 'agent.tool_ended',
    path: run.task.path,
    call,
    outcome,
    result,
    bytes: bytes ?? Buffer.byteLength(raw),
    hash: sha256(result),
  };
}

/** What the permit opens to this call alone. */
export function grantOf({ approval, network }: Permit): { readonly grant?: NetworkGrant } {
  if (approval === undefined || network === undefined) return {};
  return { grant: { approval: approval.number, ways: network } };
}
