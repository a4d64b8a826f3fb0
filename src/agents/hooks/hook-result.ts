import type { HookEvent, ToolOutcome } from '../../engine/agent-events.ts';
import type { CommandEnd } from '../run-command.ts';
import type { AgentHook } from './hook.ts';

/** By this exit code a hook before a call blocks it. */
const BLOCKS = 2;

/**
 * What the end of a hook means. Before a call: exit 0 lets it pass, 2 blocks it with what was said on stderr, any other
 * code is told and lets it pass. One that did not come to its own end had no say, and blocks too.
 */
export function hookResult(
  event: HookEvent,
  { timeoutMs }: Pick<AgentHook, 'timeoutMs'>,
  end: CommandEnd,
): { readonly outcome: ToolOutcome; readonly text: string; readonly bytes: number } {
  const { bytes, code } = end;
  const failed = event === 'preToolUse' ? 'denied' : 'error';
  const stderr = end.stderr.trim();
  const broken = brokenBy(end, timeoutMs);
  if (broken !== null) return { outcome: failed, text: withText(broken, stderr), bytes };
  if (code === 0) return { outcome: 'ok', text: end.stdout.trimEnd(), bytes };
  if (event === 'preToolUse' && code === BLOCKS)
    return { outcome: 'denied', text: stderr === '' ? 'it gave no reason' : stderr, bytes };
  return { outcome: 'error', text: withText(`exit code ${code}`, stderr), bytes };
}

/** Why it did not come to an end of its own; null when it did. */
function brokenBy(end: CommandEnd, timeoutMs: number): string | null {
  if (end.isTimedOut) return `the hook ran longer than its timeout of ${timeoutMs / 1000} s and was killed`;
  if (end.isOutOfMemory) return 'the hook was killed for memory';
  if (!end.hasRun) return 'the hook could not be started';
  return end.signal === null ? null : `the hook was ended by ${end.signal}`;
}

function withText(what: string, said: string): string {
  return said === '' ? what : `${what}: ${said}`;
}
