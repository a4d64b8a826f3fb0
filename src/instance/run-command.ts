import type { Command } from '../engine/contract.ts';

export type RunCommand = Extract<Command, { type: 'run' }>;
