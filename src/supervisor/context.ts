import type { Isolation } from '../../sandbox/isolation.ts';
import type { SupervisorGround } from './ground.ts';
import type { KillSwitch } from './guard/kill-switch.ts';
import type { Sandboxes } from './sandboxes/sandboxes.ts';

/** What every part of the supervisor works with; made once at the start. */
export interface SupervisorContext extends SupervisorGround {
  readonly isolation: Isolation;
  readonly sandboxes: Sandboxes;
  readonly killSwitch: KillSwitch;
  /** Hex: by it secrets are masked. */
  readonly maskKey: string;
  readonly version: string;
  readonly startedAt: number;
}
