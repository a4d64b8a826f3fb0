import type { DatabaseSync } from 'node:sqlite';
import { canonicalJson, sha256 } from '../audit/canonical.ts';
import { emptyFold, type Fold, foldRecord, type Heads, loadHeads, saveHeads } from '../audit/fold.ts';
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

/** Of a segment, how far it has been looked at. */
interface Reading {
  readonly segment: SegmentBody;
  /** The last record before it whose heads `fold` began with. */
  readonly headsLast: number;
  readonly fold: Fold;
  readonly payloads: Set<string>;
  next: number;
  hash: string;
}

/** Records that one call looks at (some tens of milliseconds): of a busy day there are a hundred thousand. */
const SLICE = 2000;

/** The triggers that stand in the way, put back exactly as the migration made them: verify compares. */
const TRIGGERS = ['audit_no_delete', 'audit_checkpoints_no_delete'] as const;

/**
 * Removes the records of the oldest sealed segment that is old enough, with all checkpoints of them but the last, leaves
 * what they said of tables that stay (heads), and records it: all in the transaction of the caller. Null when there is
 * none; `reading`: nothing is removed yet, as it was looked at in part, ask again. Refuses (AUDIT_TAMPERED) to remove what
 * is not what was sealed: evidence stays.
 */
export function openPrune(
  database: DatabaseSync,
  audit: AuditTable,
  segments: SegmentsTable,
): (request: PruneRequest) => PrunedSegment | 'reading' | null {
  const rows = database.prepare(
    `SELECT seq, body, hash FROM audit WHERE seq >= ? AND seq <= ? ORDER BY seq LIMIT ${SLICE}`,
  );
  const heads = database.prepare('SELECT last, body FROM audit_heads');
  const headsAt = database.prepare('SELECT last FROM audit_heads');
  const remove = database.prepare('DELETE FROM audit WHERE seq <= ?');
  const trigger = database.prepare("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?");
  const drop = database.prepare('DELETE FROM audit_payloads WHERE hash = ?');
  const lastSigned = database.prepare('SELECT max(number) AS number FROM audit_checkpoints WHERE seq <= ?');
  const removeSigned = database.prepare('DELETE FROM audit_checkpoints WHERE number < ?');
  const keepHeads = database.prepare('INSERT INTO audit_heads (last, body) VALUES (?, ?)');

  let reading: Reading | null = null;

  /** What was read of the segment already, unless another one was pruned, or its pruning taken back, meanwhile. */
  const take = (segment: SegmentBody): Reading => {
    const headsLast = Number(headsAt.get()?.['last'] ?? 0);
    if (reading?.segment.number === segment.number && reading.headsLast === headsLast) return reading;
    const fold = emptyFold();
    const old = heads.get();
    if (old !== undefined) loadHeads(fold, JSON.parse(String(old['body'])) as Heads);
    const { first: next, before: hash } = segment;
    return { segment, headsLast, fold, payloads: new Set(), next, hash };
  };

  /** Looks at the next records of it; true when that were all. */
  const read = (at: Reading): boolean => {
    const { segment, fold, payloads } = at;
    const found = rows.all(at.next, segment.last);
    for (const row of found) {
      const body = String(row['body']);
      at.hash = chainHash(at.hash, body);
      if (row['seq'] !== at.next || row['hash'] !== at.hash) throw tampered(at.next);
      at.next += 1;
      const record = JSON.parse(body) as FoldRecord & { binds?: { payload?: { sha256: string } } };
      foldRecord(fold, record);
      if (record.binds?.payload !== undefined) payloads.add(record.binds.payload.sha256);
    }
    if (found.length === SLICE && at.next <= segment.last) return false;
    if (at.hash !== segment.hash || at.next !== segment.last + 1) throw tampered(segment.last);
    return true;
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
    if (segment === null) {
      reading = null;
      return null;
    }
    const taken = take(segment);
    reading = null;
    if (!read(taken)) {
      reading = taken;
      return 'reading';
    }
    const { payloads } = taken;
    const text = canonicalJson(saveHeads(taken.fold));
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
