import { WorkflowError } from '../src/errors/workflow-error.ts';

/** Throws SCOPE_FAILED when a name cannot be the name of a folder of ours. */
export function assertScopeName(name: string): void {
  if (/^[A-Za-z0-9_.-]{1,200}$/.test(name) && !name.startsWith('.')) return;
  throw new WorkflowError('SCOPE_FAILED', `"${name}" cannot be the name of a scope.`, {
    hint: 'Use up to 200 letters, digits, "_", "-" and ".", the first one no ".".',
  });
}
