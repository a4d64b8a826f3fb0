import { nearest } from '../errors/nearest.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import type { Store } from '../store/store.ts';

/** The id of an instance by a prefix of it, or `latest`. Throws INSTANCE_NOT_FOUND or INSTANCE_AMBIGUOUS. */
export async function resolveInstance(store: Store, given: string): Promise<string> {
  if (given === 'latest') {
    const latest = await store.call('instance.latest', { now: Date.now() });
    if (latest === null) throw new WorkflowError('INSTANCE_NOT_FOUND', 'nothing has run yet');
    return latest;
  }
  const found = given === '' ? [] : await store.call('instance.find', { prefix: given });
  const [first] = found;
  if (first === undefined)
    throw new WorkflowError(
      'INSTANCE_NOT_FOUND',
      `no instance has an id that begins with "${given}"`,
      await meant(store, given),
    );
  return onlyOne(found, first, given);
}

/** The same of an instance that the audit log speaks of: its records outlive its row, which goes to the archive. */
export async function recordedInstance(store: Store, given: string): Promise<string> {
  try {
    return await resolveInstance(store, given);
  } catch (error) {
    const isUnknown = error instanceof WorkflowError && error.code === 'INSTANCE_NOT_FOUND';
    const found = isUnknown && given !== '' ? await store.call('audit.instances', { prefix: given }) : [];
    const [first] = found;
    if (first === undefined) throw error;
    return onlyOne(found, first, given);
  }
}

function onlyOne(found: readonly string[], first: string, given: string): string {
  if (found.length > 1 && first !== given)
    throw new WorkflowError('INSTANCE_AMBIGUOUS', `several ids begin with "${given}": ${found.join(', ')}`);
  return first;
}

/** As many of the newest instances are looked at. */
const LOOKED_AT = 500;
/** A shorter beginning of an id is near to too many. */
const MIN_NEAR = 4;

/** What was probably meant: the newest run of a workflow of that name, or an id with a typo. */
async function meant(store: Store, given: string): Promise<{ hint?: string }> {
  if (nearest(given, ['latest']) !== undefined) return { hint: 'Did you mean latest?' };
  const rows = await store.call('instance.summaries', { isLiveOnly: false, limit: LOOKED_AT, after: null });
  const ofWorkflow = rows.find(({ workflow }) => workflow === given);
  if (ofWorkflow !== undefined)
    return { hint: `${given} is a workflow. Its newest instance is ${ofWorkflow.id}.` };
  const beginnings = new Map(rows.map(({ id }) => [id.slice(0, given.length), id]));
  const near = given.length < MIN_NEAR ? undefined : nearest(given, beginnings.keys());
  return near === undefined ? {} : { hint: `Did you mean ${beginnings.get(near)}?` };
}
