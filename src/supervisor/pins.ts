import { hashJson } from '../audit/canonical.ts';
import type { Workflow } from '../definition/workflow.ts';
import type { Skill } from '../skills/skill.ts';

/** What an instance runs, whatever happens on disk afterwards: the loaded definition and every skill it names. */
export interface Pins {
  readonly workflow: Workflow;
  readonly skills: Readonly<Record<string, Skill>>;
  /** Files that the skills' command lines name, path → SHA-256. */
  readonly scripts: Readonly<Record<string, string>>;
}

/** The pins as a document of the store, with the hash it is kept under. */
export function packPins(pins: Pins): { hash: string; body: string } {
  return { hash: hashJson(pins), body: JSON.stringify(pins) };
}

/** Reads a document that `packPins` made. */
export function parsePins(body: string): Pins {
  return JSON.parse(body) as Pins;
}
