import { SUPERVISOR } from '../audit/record.ts';
import { BACKUP_EVERY_MS } from '../protocol/backups.ts';
import type { Backups } from './backups.ts';
import type { SupervisorContext } from './context.ts';
import { createUpkeep, type Upkeep } from './upkeep.ts';

/** What is done by itself once a day. */
export function dailyUpkeep(context: SupervisorContext, backups: Backups): Upkeep {
  return createUpkeep(context, [
    {
      failure: 'the database could not be backed up',
      everyMs: BACKUP_EVERY_MS,
      lastAt: () => backups.lastAt(),
      run: async () => {
        const { file, bytes, took_ms } = await backups.make(null, SUPERVISOR);
        context.log.info('the database is backed up', { file, bytes, took_ms });
      },
    },
  ]);
}
