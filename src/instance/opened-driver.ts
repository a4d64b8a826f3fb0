import type { AgentDriver } from '../agents/driver.ts';

export interface OpenDriver {
  readonly driver: AgentDriver;
  /** Values that are nowhere to be seen: keys. */
  readonly secrets: readonly string[];
}
