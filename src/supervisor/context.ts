import type { Isolation } from '../../sandbox/isolation.ts';
import type { Home } from '../protocol/home.ts';
import type { Store } from '../store/store.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { KillSwitch } from './guard/kill-switch.ts';
import type { Sandboxes } from './sandboxes/sandboxes.ts';

/** What every part of the supervisor works with; made once at the start. */
export interface SupervisorContext {
  readonly home: Home;
  readonly store: Store;
  readonly isolation: Isolation;
  readonly sandboxes: Sandboxes;
  readonly killSwitch: KillSwitch;
  /** Hex: by it secrets are masked. */
  readonly maskKey: string;
  readonly log: Diagnostics;
  readonly version: string;
  readonly startedAt: number;
  /** Wall clock, UTC ms. */
  readonly now: () => number;
}
