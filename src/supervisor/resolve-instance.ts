import { WorkflowError } from '../errors/workflow-error.ts';
import type { Store } from '../store/store.ts';

/** The id of an instance by a prefix of it, or `latest`. Throws INSTANCE_NOT_FOUND or INSTANCE_AMBIGUOUS. */
export async function resolveInstance(store: Store, given: string): Promise<string> {
  if (given === 'latest') {
    const latest = await store.call('instance.latest', {});
    if (latest === null) throw new WorkflowError('INSTANCE_NOT_FOUND', 'nothing has run yet');
    return latest;
  }
  const found = given === '' ? [] : await store.call('instance.find', { prefix: given });
  const [first] = found;
  if (first === undefined)
    throw new WorkflowError('INSTANCE_NOT_FOUND', `no instance has an id that begins with "${given}"`);
  if (found.length > 1 && first !== given)
    throw new WorkflowError('INSTANCE_AMBIGUOUS', `several ids begin with "${given}": ${found.join(', ')}`);
  return first;
}
