import type { LoadResult } from '../../src/definition/load.ts';
import { ensureGenerated } from './generated.ts';

await ensureGenerated();
const { loadWorkflow } = await import('../../src/definition/load.ts');

/** A skill step with an id and whatever else a test cares for. */
export function skill(id: string, more: object = {}): object {
  return { id, type: 'skill', skill: 'work', ...more };
}

/** Loads a small valid file with the given parts laid over it. */
export async function load(parts: object): Promise<LoadResult> {
  return loadWorkflow(JSON.stringify({ name: 'demo', version: '1.0.0', steps: [skill('a')], ...parts }));
}

/** The problems of such a file, each as one line: `error $.path: message`. */
export async function problemsOf(parts: object): Promise<readonly string[]> {
  const { problems } = await load(parts);
  return problems.map(({ severity, path, message }) => `${severity} ${path}: ${message}`);
}

export { loadWorkflow };
