import { didYouMean, nearest } from '../../errors/nearest.ts';
import type { Store } from '../../store/store.ts';

/** `; did you mean "x"?` of a name that is not registered, or nothing. */
export async function nearRegistered(store: Store, name: string): Promise<string> {
  const rows = await store.call('registration.list', {});
  return didYouMean(
    nearest(
      name,
      rows.map((row) => row.name),
    ),
  );
}
