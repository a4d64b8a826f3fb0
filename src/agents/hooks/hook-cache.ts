import type { AgentHook } from './hook.ts';
import type { HookOutputs } from './task-hooks.ts';

/** What hooks of a run have printed, as long as their files let it be used again. Gone with the process of the run. */
export class HookCache {
  readonly #kept = new Map<string, { readonly text: string; readonly until: number }>();
  readonly #now: () => number;

  /** `now`: ms of a monotonic clock. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The part of one agent file, by its hash. */
  of(agent: string): HookOutputs {
    const keyOf = (event: string, index: number, { command }: AgentHook): string =>
      JSON.stringify([agent, event, index, command]);
    return {
      find: (event, index, hook) => {
        const kept = this.#kept.get(keyOf(event, index, hook));
        return hook.cacheTtlMs > 0 && kept !== undefined && this.#now() < kept.until ? kept.text : undefined;
      },
      keep: (event, index, hook, text) => {
        if (hook.cacheTtlMs > 0 && isCached(event))
          this.#kept.set(keyOf(event, index, hook), { text, until: this.#now() + hook.cacheTtlMs });
      },
    };
  }
}

/** A decision about a call, or what follows one, is never taken from another call. */
function isCached(event: string): boolean {
  return event === 'agentSpawn' || event === 'userPromptSubmit';
}
