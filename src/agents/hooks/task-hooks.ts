import type { NetworkGrant } from '../../../sandbox/network/grants.ts';
import type { HookEvent } from '../../engine/agent-events.ts';
import type { CommandEnd } from '../run-command.ts';
import type { AgentHook, AgentHooks } from './hook.ts';

/** The hooks of one agent step, and what they run in. */
export interface TaskHooks {
  readonly hooks: AgentHooks;
  /** The folder they run in, and are told. */
  readonly cwd: string;
  /** Names the run to them. */
  readonly session: string;
  readonly outputs: HookOutputs;
  /** Runs one to its end in the sandbox of the step. Throws a WorkflowError when it cannot be started. */
  run(hook: AgentHook, stdin: string, grant: NetworkGrant | null, signal: AbortSignal): Promise<CommandEnd>;
}

/** Outputs that may be used again. */
export interface HookOutputs {
  find(event: HookEvent, index: number, hook: AgentHook): string | undefined;
  keep(event: HookEvent, index: number, hook: AgentHook, text: string): void;
}
