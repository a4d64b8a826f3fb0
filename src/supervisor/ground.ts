import type { Home } from '../protocol/home.ts';
import type { Store } from '../store/store.ts';
import type { Diagnostics } from './diagnostics.ts';

/** What the parts that are there before all others work with. */
export interface SupervisorGround {
  readonly home: Home;
  readonly store: Store;
  readonly log: Diagnostics;
  /** Wall clock, UTC ms. */
  readonly now: () => number;
}
