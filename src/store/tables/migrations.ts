import type { DatabaseSync } from 'node:sqlite';
import { WorkflowError } from '../../errors/workflow-error.ts';

/** Marks a database file as ours (`PRAGMA application_id`): "qwfl". */
export const APPLICATION_ID = 0x7177666c;

/** Forward only; the place in the list plus one is the version (`PRAGMA user_version`) that a step leads to. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

  CREATE TABLE documents (hash TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE registrations (
    name TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    definition_hash TEXT NOT NULL REFERENCES documents(hash),
    source TEXT NOT NULL,
    registered_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE instances (
    id TEXT PRIMARY KEY,
    workflow TEXT NOT NULL,
    version TEXT NOT NULL,
    definition_hash TEXT NOT NULL REFERENCES documents(hash),
    pins_hash TEXT NOT NULL REFERENCES documents(hash),
    source TEXT NOT NULL,
    workspace TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    error TEXT,
    inputs TEXT NOT NULL,
    context TEXT NOT NULL,
    env TEXT NOT NULL,
    limits TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    incarnation INTEGER NOT NULL DEFAULT 0,
    token_hash TEXT,
    process TEXT,
    scope TEXT,
    isolation TEXT,
    usage TEXT,
    active_ms INTEGER NOT NULL DEFAULT 0,
    active_since INTEGER,
    fruitless INTEGER NOT NULL DEFAULT 0,
    wake_at INTEGER,
    last_seq INTEGER NOT NULL DEFAULT 0,
    resume_from TEXT,
    notice TEXT
  ) STRICT;
  CREATE INDEX instances_by_time ON instances(created_at);
  CREATE INDEX instances_live ON instances(status) WHERE ended_at IS NULL;

  CREATE TABLE events (
    instance TEXT NOT NULL REFERENCES instances(id),
    seq INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (instance, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    instance TEXT,
    body TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_by_instance ON audit(instance, seq) WHERE instance IS NOT NULL;
  CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
  CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;
  CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'journal events are never changed'); END;
  `,
  // INSERT OR REPLACE deletes what is in its way without firing the triggers of a delete (recursive_triggers is off).
  `
  CREATE TRIGGER audit_append_only BEFORE INSERT ON audit WHEN new.seq <= (SELECT max(seq) FROM audit)
    BEGIN SELECT RAISE(ABORT, 'audit rows are only appended'); END;
  CREATE TRIGGER events_append_only BEFORE INSERT ON events
    WHEN EXISTS (SELECT 1 FROM events WHERE instance = new.instance AND seq = new.seq)
    BEGIN SELECT RAISE(ABORT, 'journal events are never replaced'); END;
  `,
  'ALTER TABLE instances ADD COLUMN paused_at INTEGER; ALTER TABLE instances ADD COLUMN paused_by TEXT;',
  `
  CREATE TABLE kill_latches (
    scope TEXT PRIMARY KEY,
    mode TEXT NOT NULL,
    reason TEXT NOT NULL,
    tripped_by TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE instances ADD COLUMN journal_digest TEXT;
  ALTER TABLE audit ADD COLUMN seal TEXT;
  CREATE INDEX audit_supervisor ON audit(seq) WHERE type IN ('supervisor.started', 'supervisor.stopped');

  CREATE TABLE audit_checkpoints (
    number INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    body TEXT NOT NULL,
    signature TEXT NOT NULL
  ) STRICT;
  CREATE TABLE audit_segments (
    number INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    body TEXT NOT NULL,
    signature TEXT NOT NULL
  ) STRICT;
  CREATE TABLE audit_heads (last INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE audit_payloads (hash TEXT PRIMARY KEY, body TEXT, erased_at INTEGER) STRICT, WITHOUT ROWID;

  CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'journal events are never deleted'); END;
  CREATE TRIGGER audit_checkpoints_no_update BEFORE UPDATE ON audit_checkpoints
    BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END;
  CREATE TRIGGER audit_checkpoints_no_delete BEFORE DELETE ON audit_checkpoints
    BEGIN SELECT RAISE(ABORT, 'checkpoints are never deleted'); END;
  CREATE TRIGGER audit_checkpoints_append_only BEFORE INSERT ON audit_checkpoints
    WHEN new.number <= (SELECT max(number) FROM audit_checkpoints)
    BEGIN SELECT RAISE(ABORT, 'checkpoints are only appended'); END;
  CREATE TRIGGER audit_segments_no_update BEFORE UPDATE ON audit_segments
    BEGIN SELECT RAISE(ABORT, 'segments are never changed'); END;
  CREATE TRIGGER audit_segments_no_delete BEFORE DELETE ON audit_segments
    BEGIN SELECT RAISE(ABORT, 'segments are never deleted'); END;
  CREATE TRIGGER audit_segments_append_only BEFORE INSERT ON audit_segments
    WHEN new.number <= (SELECT max(number) FROM audit_segments)
    BEGIN SELECT RAISE(ABORT, 'segments are only appended'); END;
  CREATE TRIGGER audit_payloads_erase_only BEFORE UPDATE ON audit_payloads
    WHEN new.hash IS NOT old.hash OR new.body IS NOT NULL OR old.erased_at IS NOT NULL OR new.erased_at IS NULL
    BEGIN SELECT RAISE(ABORT, 'payloads are only erased'); END;
  `,
  // Schedules: what a run by the clock needs of its registration, how far each is decided, and each decision.
  `
  ALTER TABLE registrations ADD COLUMN starter TEXT;

  CREATE TABLE schedules (
    workflow TEXT PRIMARY KEY,
    decided_to INTEGER NOT NULL,
    paused_at INTEGER,
    paused_by TEXT
  ) STRICT;

  CREATE TABLE fires (
    workflow TEXT NOT NULL,
    at INTEGER NOT NULL,
    status TEXT NOT NULL,
    instance TEXT REFERENCES instances(id),
    reason TEXT,
    decided_at INTEGER NOT NULL,
    PRIMARY KEY (workflow, at)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX fires_by_instance ON fires(instance) WHERE instance IS NOT NULL;
  CREATE INDEX fires_waiting ON fires(workflow, at) WHERE status IN ('queued', 'replacing');
  `,
  // Approvals: what waits for a person. `subject` is what may be asked again: kind, path, attempt and call.
  `
  ALTER TABLE instances ADD COLUMN approvals TEXT;

  CREATE TABLE approvals (
    instance TEXT NOT NULL REFERENCES instances(id),
    number INTEGER NOT NULL,
    subject TEXT NOT NULL,
    args_hash TEXT NOT NULL,
    request TEXT NOT NULL,
    requested_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    decided_at INTEGER,
    decided_by TEXT,
    reason TEXT,
    answered_at INTEGER,
    void_at INTEGER,
    PRIMARY KEY (instance, number)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX approvals_pending ON approvals(requested_at) WHERE status = 'pending';
  `,
  // Each content that was registered under a name, numbered; a name that is unregistered keeps its numbers.
  `
  CREATE TABLE versions (
    workflow TEXT NOT NULL,
    number INTEGER NOT NULL,
    definition_hash TEXT NOT NULL REFERENCES documents(hash),
    version TEXT NOT NULL,
    source TEXT NOT NULL,
    registered_at INTEGER NOT NULL,
    registered_by TEXT,
    PRIMARY KEY (workflow, number),
    UNIQUE (workflow, definition_hash)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO versions (workflow, number, definition_hash, version, source, registered_at)
    SELECT name, 1, definition_hash, version, source, registered_at FROM registrations;
  CREATE INDEX instances_by_definition ON instances(workflow, definition_hash);
  CREATE TRIGGER versions_no_update BEFORE UPDATE ON versions
    BEGIN SELECT RAISE(ABORT, 'versions are never changed'); END;
  CREATE TRIGGER versions_no_delete BEFORE DELETE ON versions
    BEGIN SELECT RAISE(ABORT, 'versions are never deleted'); END;
  `,
  // What leads from a document to who names it: without these each one that is removed costs a look at every instance and
  // every version (SQLite checks its foreign keys, too). And instances in the order in which they are archived.
  `
  CREATE INDEX instances_by_document ON instances(definition_hash);
  CREATE INDEX instances_by_pins ON instances(pins_hash);
  CREATE INDEX versions_by_document ON versions(definition_hash);
  CREATE INDEX registrations_by_document ON registrations(definition_hash);
  CREATE INDEX instances_ended ON instances(ended_at, id) WHERE ended_at IS NOT NULL;
  `,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Refuses a file that is not ours. Reads only. Throws STORE_NEWER with the versions when the file is newer than this
 * program, or an Error that says that it is another program's.
 */
export function checkVersion(database: DatabaseSync): void {
  const version = pragma(database, 'user_version');
  const application = pragma(database, 'application_id');
  const isNew = version === 0 && application === 0 && tableCount(database) === 0;
  if (!isNew && application !== APPLICATION_ID) throw new Error('the file is a database of another program');
  if (version > SCHEMA_VERSION)
    throw new WorkflowError(
      'STORE_NEWER',
      `the file has schema version ${version}, this program knows up to ${SCHEMA_VERSION}`,
    );
}

/** Brings a database that `checkVersion` accepts up to SCHEMA_VERSION, each step in a transaction of its own. */
export function migrate(database: DatabaseSync): void {
  const version = pragma(database, 'user_version');
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.exec(
      `BEGIN IMMEDIATE; ${sql} PRAGMA application_id=${APPLICATION_ID}; PRAGMA user_version=${index + 1}; COMMIT;`,
    );
  }
}

function pragma(database: DatabaseSync, name: 'user_version' | 'application_id'): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}

function tableCount(database: DatabaseSync): number {
  return Number(database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] ?? 0);
}
