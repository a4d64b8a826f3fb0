import type { Client } from '../../client/client.ts';
import type { InstanceSummary } from '../../protocol/control.ts';

const PAGE = 1000;

/** Instances as the supervisor lists them, so many at most, page by page: it has others to answer in between. */
export async function listInstances(
  client: Pick<Client, 'call'>,
  isLiveOnly: boolean,
  most: number,
): Promise<InstanceSummary[]> {
  const found = new Map<string, InstanceSummary>();
  let after: InstanceSummary['id'] | null = null;
  for (;;) {
    const limit = Math.min(PAGE, most - found.size);
    const page: readonly InstanceSummary[] = await client.call('instance.list', {
      isLiveOnly,
      limit,
      ...(after === null ? {} : { after }),
    });
    const known = found.size;
    for (const instance of page) found.set(instance.id, instance);
    after = page.at(-1)?.id ?? null;
    // A supervisor of an older version knows of no pages, and gives the first one again.
    if (page.length < limit || found.size === known || found.size >= most) return [...found.values()];
  }
}
