import { bootId } from '../../sandbox/process-identity.ts';
import type { Home } from '../protocol/home.ts';
import { finishRestore } from '../store/restore.ts';
import { openStore, type Store } from '../store/store.ts';
import { offerBackup, refuseMissing } from './upkeep/offer-backup.ts';

/**
 * Opens the database of a home, after a restore that was cut short is finished. Rejects with STORE_CORRUPT, with the
 * newest good backup in its hint, or what else keeps it shut.
 */
export async function openDatabase(home: Home): Promise<Store> {
  finishRestore(home);
  refuseMissing(home);
  try {
    return await openStore(home.database, bootId());
  } catch (error) {
    throw offerBackup(home, error);
  }
}
