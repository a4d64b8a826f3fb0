import { DatabaseSync } from 'node:sqlite';
import { openPrune } from '../audit-prune.ts';
import { type AuditReader, openAuditReader } from '../audit-reader.ts';
import { beginLog } from '../begin-log.ts';
import { type ApprovalsTable, openApprovalsTable } from './approvals-table.ts';
import { type ArchiveTable, openArchiveTable } from './archive-table.ts';
import { type AuditTable, openAuditTable } from './audit-table.ts';
import { type CheckpointsTable, openCheckpointsTable } from './checkpoints-table.ts';
import { type EventsTable, openEventsTable } from './events-table.ts';
import { openInstanceList } from './instance-list.ts';
import { type InstancesTable, openInstancesTable } from './instances-table.ts';
import { type LatchesTable, openLatchesTable } from './latches-table.ts';
import { type MetaTable, openMetaTable } from './meta-table.ts';
import { checkVersion, migrate } from './migrations.ts';
import { openRegistrationsTable, type RegistrationsTable } from './registrations-table.ts';
import { openSchedulesTable, type SchedulesTable } from './schedules-table.ts';
import { openSegmentsTable, type SegmentsTable } from './segments-table.ts';
import { openVersionsTable, type VersionsTable } from './versions-table.ts';

/** All that the writer writes to and reads from; one connection. */
export interface Tables {
  readonly meta: MetaTable;
  readonly audit: AuditTable;
  readonly checkpoints: CheckpointsTable;
  readonly segments: SegmentsTable;
  readonly prune: ReturnType<typeof openPrune>;
  readonly reader: AuditReader;
  readonly events: EventsTable;
  readonly instances: InstancesTable;
  readonly instanceList: ReturnType<typeof openInstanceList>;
  readonly registrations: RegistrationsTable;
  readonly versions: VersionsTable;
  readonly latches: LatchesTable;
  readonly schedules: SchedulesTable;
  readonly approvals: ApprovalsTable;
  readonly archive: ArchiveTable;
}

/**
 * Opens the database for writing, migrates it, and opens its tables with the key of its log. Throws what SQLite
 * throws; nothing stays open then.
 */
export function openTables(
  file: string,
  boot: string,
  keysFolder: string,
): { database: DatabaseSync; tables: Tables } {
  const database = new DatabaseSync(file, { timeout: 5000 });
  try {
    checkVersion(database);
    database.exec('PRAGMA foreign_keys = ON');
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 2000');
    migrate(database);
    const audit = openAuditTable(database, boot, keysFolder);
    const instances = openInstancesTable(database);
    const segments = openSegmentsTable(database, audit);
    const tables: Tables = {
      meta: openMetaTable(database),
      audit,
      checkpoints: openCheckpointsTable(database, audit),
      segments,
      prune: openPrune(database, audit, segments),
      reader: openAuditReader(database),
      events: openEventsTable(database),
      instances,
      instanceList: openInstanceList(database),
      registrations: openRegistrationsTable(database),
      versions: openVersionsTable(database),
      latches: openLatchesTable(database),
      schedules: openSchedulesTable(database),
      approvals: openApprovalsTable(database),
      archive: openArchiveTable(database, audit, instances),
    };
    beginLog(database, tables);
    return { database, tables };
  } catch (error) {
    database.close();
    throw error;
  }
}
