import type { LiveInstance } from './lifecycle/live-instance.ts';

const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Acts on an instance without a process after a delay, at once when there is none. Called off by the end of its
 * lifetime, which begins anew here. A delay over 24 days is cut to that: look again then.
 */
export function later(live: LiveInstance, delayMs: number, act: () => void): void {
  if (delayMs <= 0) {
    act();
    return;
  }
  live.lifetime = new AbortController();
  const timer = setTimeout(act, Math.min(MAX_TIMER_MS, delayMs));
  timer.unref();
  live.lifetime.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
}
