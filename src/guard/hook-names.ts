import type { HookEvent } from '../engine/agent-events.ts';

/** The name of a hook where a tool has its own: in journal, audit and permits. */
export function hookName(event: HookEvent): string {
  return `hook:${event}`;
}

/** The event in such a name. */
export function hookEvent(name: string): string {
  return name.replace(/^hook:/, '');
}
