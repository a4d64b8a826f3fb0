import { constants, readFileSync } from 'node:fs';
import { systemCode } from '../errors/workflow-error.ts';
import { writeDurably } from './durable-file.ts';
import type { Home } from './home.ts';

/** When the kill switch was last proven; the evidence itself is in the audit. */
export interface DrillNote {
  /** UTC ms. */
  readonly at: number;
  /** The canary. */
  readonly instance: string;
  /** False when something of what a drill proves did not hold. */
  readonly held: boolean;
}

/** Written by the supervisor, after the evidence is in the audit. */
export function writeDrillNote(home: Home, note: DrillNote): void {
  writeDurably(home.drillFile, `${JSON.stringify(note)}\n`);
}

/** Null when there is none, or none that can be read. */
export function readDrillNote(home: Home): DrillNote | null {
  try {
    const text = readFileSync(home.drillFile, {
      encoding: 'utf8',
      flag: constants.O_RDONLY | constants.O_NOFOLLOW,
    });
    const raw: unknown = JSON.parse(text);
    return isNote(raw) ? raw : null;
  } catch (error) {
    if (error instanceof SyntaxError || ['ENOENT', 'ELOOP'].includes(systemCode(error) ?? '')) return null;
    throw error;
  }
}

function isNote(raw: unknown): raw is DrillNote {
  if (typeof raw !== 'object' || raw === null) return false;
  const { at, instance, held } = raw as Record<string, unknown>;
  return typeof at === 'number' && typeof instance === 'string' && typeof held === 'boolean';
}
