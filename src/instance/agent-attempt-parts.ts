import type { HookCache } from '../agents/hooks/hook-cache.ts';
import type { Transcript } from '../agents/native/transcript.ts';
import type { AgentEvent } from '../engine/agent-events.ts';
import type { Permit, PermitRequest } from '../protocol/instance-link.ts';
import type { Skill } from '../skills/skill.ts';
import type { CallsInFlight } from './calls-in-flight.ts';
import type { Decisions } from './decisions.ts';
import type { StepLog } from './step-log.ts';
import type { ToolHostParts } from './tool-host.ts';

export interface AgentAttemptParts extends Omit<ToolHostParts, 'step' | 'output'> {
  readonly transcript: Transcript;
  readonly log: StepLog;
  readonly observe: (event: AgentEvent) => void;
  readonly ask: (request: PermitRequest, signal: AbortSignal) => Promise<Permit | null>;
  readonly calls: CallsInFlight;
  readonly decisions: Decisions;
  readonly hookCache: HookCache;
  /** Null for an agent step. */
  readonly skill: Skill | null;
}
