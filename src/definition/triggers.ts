import type { WorkflowFile } from './file.ts';
import { normaliseTrigger } from './normalise.ts';
import type { Workflow } from './workflow.ts';

/** What the clock has to know of a workflow. */
export type Timed = Pick<Workflow, 'name' | 'triggers'>;

/**
 * Reads no more than name and triggers of a text that passed every check when it was registered: to load all of ten
 * thousand workflows would take a start half a minute. Throws for a text that is no workflow any more.
 */
export function readTriggers(text: string): Timed {
  const file = JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text) as WorkflowFile;
  return { name: file.name, triggers: (file.triggers ?? []).map(normaliseTrigger) };
}
