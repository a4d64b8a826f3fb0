import type { DatabaseSync } from 'node:sqlite';
import { canonicalJson, sha256 } from '../audit/canonical.ts';
import { emptyFold, foldRecord, type Heads, loadHeads, saveHeads } from '../audit/fold.ts';
import type { FoldRecord } from '../audit/fold-record.ts';
import { type AuditActor, chainHash } from '../audit/record.ts';
import type { SegmentBody } from '../audit/segment.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import type { AuditTable } from './tables/audit-table.ts';
import type { SegmentsTable } from './tables/segments-table.ts';

export interface PruneRequest {
  /** Segments of which the last record is older, UTC ms. */
  readonly before: number;
  readonly at: number;
  readonly actor: AuditActor;
}

export interface PrunedSegment {
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
}

/** The triggers that stand in the way, put back exactly as the migration made them: verify compares. */
const TRIGGERS = ['audit_no_delete', 'audit_checkpoints_no_delete'] as const;

/**
 * Removes the records of the oldest sealed segment that is old enough, with all checkpoints of them but the last, leaves
 * what they said of tables that stay (heads), and records it: all in the transaction of the caller. Null when there is
 * none. Refuses (AUDIT_TAMPERED) to remove what is not what was sealed: evidence stays.
 */
export function openPrune(
  database: DatabaseSync,
  audit: AuditTable,
  segments: SegmentsTable,
): (request: PruneRequest) => PrunedSegment | null {
  const rows = database.prepare('SELECT seq, body, hash FROM audit WHERE seq <= ? ORDER BY seq');
  const heads = database.prepare('SELECT body FROM audit_heads');
  const remove = database.prepare('DELETE FROM audit WHERE seq <= ?');
  const trigger = database.prepare("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?");
  const drop = database.prepare('DELETE FROM audit_payloads WHERE hash = ?');
  const lastSigned = database.prepare('SELECT max(number) AS number FROM audit_checkpoints WHERE seq <= ?');
  const removeSigned = database.prepare('DELETE FROM audit_checkpoints WHERE number < ?');
  const keepHeads = database.prepare('INSERT INTO audit_heads (last, body) VALUES (?, ?)');

  /** The hashes of payloads of the removed records, and the fold up to them. */
  const read = (segment: SegmentBody): { fold: Heads; payloads: Set<string> } => {
    const fold = emptyFold();
    const old = heads.get();
    if (old !== undefined) loadHeads(fold, JSON.parse(String(old['body'])) as Heads);
    const payloads = new Set<string>();
    let hash = segment.before;
    let next = segment.first;
    for (const row of rows.iterate(segment.last)) {
      const body = String(row['body']);
      hash = chainHash(hash, body);
      if (row['seq'] !== next || row['hash'] !== hash) throw tampered(next);
      next += 1;
      const record = JSON.parse(body) as FoldRecord & { binds?: { payload?: { sha256: string } } };
      foldRecord(fold, record);
      if (record.binds?.payload !== undefined) payloads.add(record.binds.payload.sha256);
    }
    if (hash !== segment.hash || next !== segment.last + 1) throw tampered(segment.last);
    return { fold: saveHeads(fold), payloads };
  };

  const dropPayloads = (payloads: Set<string>): void => {
    const kept = database.prepare("SELECT json_extract(body, '$.binds.payload.sha256') AS hash FROM audit");
    for (const row of kept.iterate()) if (row['hash'] !== null) payloads.delete(String(row['hash']));
    for (const hash of payloads) drop.run(hash);
  };

  const withoutTriggers = (act: () => void): void => {
    const made = TRIGGERS.map((name) => String(trigger.get(name)?.['sql']));
    for (const name of TRIGGERS) database.exec(`DROP TRIGGER ${name}`);
    act();
    for (const sql of made) database.exec(sql);
  };

  return ({ before, at, actor }) => {
    const segment = segments.oldest(before);
    if (segment === null) return null;
    const { fold, payloads } = read(segment);
    const text = canonicalJson(fold);
    const signed = Number(lastSigned.get(segment.last)?.['number'] ?? 0);
    withoutTriggers(() => {
      remove.run(segment.last);
      removeSigned.run(signed);
    });
    if (payloads.size > 0) dropPayloads(payloads);
    database.exec('DELETE FROM audit_heads');
    keepHeads.run(segment.last, text);
    const { number, first, last, bytes } = segment;
    const data = {
      segment: number,
      digest: segments.digestOf(number),
      first,
      last,
      bytes,
      heads: sha256(text),
      // The first one that is left. Each names the one before it: no more can go unseen.
      checkpoints_from: Math.max(1, signed),
    };
    audit.append({ type: 'audit.pruned', at, actor, instance: null, data });
    return { first, last, bytes };
  };
}

function tampered(seq: number): WorkflowError {
  return new WorkflowError(
    'AUDIT_TAMPERED',
    `record ${seq} of the audit log is not what was sealed: nothing is removed`,
  );
}
