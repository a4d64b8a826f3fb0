/** Loads workflows in tests; the validators are made first when they are missing. */
import type { LoadResult } from '../../src/definition/load.ts';
import type { Json, JsonObject } from '../../src/definition/workflow.ts';
import { ensureGenerated } from '../setup/generated.ts';

await ensureGenerated();

const { loadWorkflow } = await import('../../src/definition/load.ts');

export function skill(id: string, more: JsonObject = {}): JsonObject {
  return { id, type: 'skill', skill: 'run', ...more };
}

/** A file with the given steps and whatever else. */
export function fileOf(steps: Json[], more: JsonObject = {}): string {
  return JSON.stringify({ name: 'flow', version: '1.0.0', steps, ...more });
}

export async function load(text: string): Promise<LoadResult> {
  return loadWorkflow(text);
}

/** What a file with these steps has to complain about, each as `severity path message`. */
export async function complaints(steps: Json[], more: JsonObject = {}): Promise<string[]> {
  const { problems } = await loadWorkflow(fileOf(steps, more));
  return problems.map(({ severity, path, message }) => `${severity} ${path} ${message}`);
}
