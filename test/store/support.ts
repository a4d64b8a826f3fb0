/** A writer on a database in a folder of its own, and what a test needs to speak to it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sha256 } from '../../src/audit/canonical.ts';
import { type AuditEntry, chainHash, genesisHash, SUPERVISOR } from '../../src/audit/record.ts';
import type { Arguments, OperationName } from '../../src/store/operations.ts';
import { openWriter, type Reply, type Writer } from '../../src/store/writer.ts';

export interface Desk {
  readonly file: string;
  readonly writer: Writer;
  /** Runs requests as one batch. */
  batch(...requests: readonly [name: OperationName, args: object][]): Reply[];
  /** Runs one request; its answer, or the code of its error. */
  one<K extends OperationName>(name: K, args: Arguments<K>): unknown;
  /** Closes the database, and leaves its files for another writer. */
  leave(): void;
  close(): void;
}

export function openDesk(): Desk {
  const folder = mkdtempSync(join(tmpdir(), 'qw-store-'));
  const file = join(folder, 'q-workflow.db');
  const writer = openWriter(file, 'boot');
  const batch: Desk['batch'] = (...requests) =>
    writer.run(requests.map(([name, args], id) => ({ id, name, args })));
  let isOpen = true;
  const leave = (): void => {
    if (isOpen) writer.close();
    isOpen = false;
  };
  return {
    file,
    writer,
    batch,
    one: (name, args) => {
      const [reply] = batch([name, args]);
      return reply !== undefined && 'answer' in reply ? reply.answer : reply?.error.code;
    },
    leave,
    close: () => {
      leave();
      rmSync(folder, { recursive: true });
    },
  };
}

export function record(type: string, instance: string | null = null): AuditEntry {
  return { type, at: 1, actor: SUPERVISOR, instance, data: {} };
}

const EMPTY = sha256('{}');

/** An instance of that id, created, in its first incarnation. */
export function launched(id: string): [OperationName, object][] {
  const limits = { memoryBytes: 1, cpuPercent: 1, processes: 1, executionMs: 1, concurrentSteps: 1 };
  const report = { backend: 'polling', enforced: [], observed: [], missing: [] };
  const instance = {
    id,
    workflow: 'w',
    version: '1.0.0',
    definitionHash: EMPTY,
    pinsHash: EMPTY,
    source: '/w.json',
    workspace: '/',
    inputs: {},
    context: { readonly: {}, mutable: {} },
    env: {},
    limits,
    notice: null,
    approvals: 'named',
  };
  const scope = { backend: 'polling', name: id, folders: {}, marker: id };
  return [
    [
      'instance.create',
      { instance, documents: { [EMPTY]: '{}' }, at: 1, audit: record('instance.created', id), fire: null },
    ],
    [
      'instance.launch',
      {
        id,
        incarnation: 1,
        tokenHash: 't',
        scope,
        isolation: report,
        at: 2,
        audit: record('instance.launched', id),
      },
    ],
  ];
}

/** The first record whose hash is not what its body and the record before it make, or null. */
export function brokenAt(file: string): number | null {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const log = String(database.prepare("SELECT value FROM meta WHERE key = 'audit_log'").get()?.['value']);
    let hash = genesisHash(log);
    let seq = 0;
    for (const row of database.prepare('SELECT seq, body, hash FROM audit ORDER BY seq').all()) {
      seq += 1;
      hash = chainHash(hash, String(row['body']));
      const stored = JSON.parse(String(row['body'])) as { seq: number; log: string };
      if (row['seq'] !== seq || stored.seq !== seq || stored.log !== log || hash !== row['hash']) return seq;
    }
    return null;
  } finally {
    database.close();
  }
}

/** Changes the file as somebody with an editor of databases would, past the triggers. */
export function tamper(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec('DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete');
  database.exec(sql);
  database.close();
}
