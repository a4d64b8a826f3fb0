import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';

/** What to read of the log. Bounded, because reading holds up writing: `next` goes on where it stopped. */
export interface AuditQuery {
  readonly order: 'oldest' | 'newest';
  /** Records after (oldest first) or before (newest first) this number. */
  readonly from: number;
  readonly limit: number;
  /** Times, UTC ms: not before, and before. */
  readonly since: number | null;
  readonly until: number | null;
  /** A pattern with * and ?, as SQLite's GLOB takes it. */
  readonly type: string | null;
  readonly instance: string | null;
}

/** A record as it is kept. */
export interface AuditRow {
  readonly seq: number;
  readonly body: string;
  readonly hash: string;
}

export interface AuditPage {
  readonly rows: AuditRow[];
  /** Where to read on; null when there is nothing more. */
  readonly next: number | null;
}

export interface ShownRecord extends AuditRow {
  /** `none`: the record has no payload. `gone`: erased, or not there any more. */
  readonly payload: { readonly state: 'none' | 'gone' } | { readonly state: 'kept'; readonly body: string };
}

/** A record that a supervisor came or went. */
export interface SupervisorTurn {
  readonly seq: number;
  readonly type: string;
  readonly pid: number | null;
}

/** No call looks at more records than this (some milliseconds). */
const MAX_SCAN = 5000;
/** Nor answers more text than this. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface AuditReader {
  read(query: AuditQuery): AuditPage;
  show(seq: number): ShownRecord | null;
  /** Up to three ids of instances that records speak of and that begin so, in their order. */
  instances(prefix: string): string[];
  /** Hash of the payload of a record; null when it has none. */
  payloadOf(seq: number): string | null;
  /** Takes the text of a payload away; false when it is gone already. */
  erase(hash: string, at: number): boolean;
  lastTurn(): SupervisorTurn | null;
}

export function openAuditReader(database: DatabaseSync): AuditReader {
  const columns = 'seq, at, type, instance, body, hash';
  const statement = (where: string, order: string) =>
    database.prepare(
      `SELECT ${columns}, (?2 IS NULL OR at >= ?2) AND (?3 IS NULL OR at < ?3) AND (?4 IS NULL OR type GLOB ?4) AS fits
       FROM audit WHERE ${where} ORDER BY seq ${order} LIMIT ${MAX_SCAN}`,
    );
  const statements = {
    oldest: {
      all: statement('seq > ?1', ''),
      one: statement('instance = ?5 AND seq > ?1', ''),
    },
    newest: {
      all: statement('seq < ?1', 'DESC'),
      one: statement('instance = ?5 AND seq < ?1', 'DESC'),
    },
  };
  // Of a sealed segment is known which time none of its records is beyond.
  const until = "json_extract(body, '$.until')";
  const isOver = database.prepare(
    `SELECT 1 FROM audit_segments WHERE ?1 BETWEEN first AND last AND ${until} < ?2`,
  );
  const before = database.prepare(
    `SELECT max(last) AS seq FROM audit_segments WHERE last < ?1 AND ${until} >= ?2`,
  );
  const after = database.prepare(`
    SELECT coalesce(min(first) FILTER (WHERE first > ?1 AND ${until} >= ?2), max(last) + 1) AS seq FROM audit_segments`);
  /** Where to begin so that whole days that ended before `since` are not read; null when nothing else is left. */
  const begin = ({ order, from, since }: AuditQuery): number | null => {
    const [next, beyond] = order === 'newest' ? [from - 1, 1] : [from + 1, -1];
    if (since === null || isOver.get(next, since) === undefined) return from;
    const seq = (order === 'newest' ? before : after).get(next, since)?.['seq'];
    return typeof seq === 'number' ? seq + beyond : null;
  };

  // One at a time: with DISTINCT each record of an instance is looked at.
  const next = database.prepare(
    'SELECT instance FROM audit WHERE instance >= ? AND instance < ? ORDER BY instance LIMIT 1',
  );

  const one = database.prepare('SELECT seq, body, hash FROM audit WHERE seq = ?');
  const payload = database.prepare('SELECT body FROM audit_payloads WHERE hash = ?');

  const erase = database.prepare(
    'UPDATE audit_payloads SET body = NULL, erased_at = ? WHERE hash = ? AND body IS NOT NULL',
  );
  const lastTurn = database.prepare(
    "SELECT seq, type, body FROM audit WHERE type IN ('supervisor.started', 'supervisor.stopped') ORDER BY seq DESC LIMIT 1",
  );

  const payloadOf = (seq: number): string | null => {
    const row = one.get(seq);
    return row === undefined ? null : (bodyOf(row).binds?.payload?.sha256 ?? null);
  };

  return {
    read: (query) => {
      const { order, limit, since, until, type, instance } = query;
      const from = begin(query);
      if (from === null) return { rows: [], next: null };
      const base = [from, since, until, type] as const;
      const found =
        instance === null
          ? statements[order].all.iterate(...base)
          : statements[order].one.iterate(...base, instance);
      const rows: AuditRow[] = [];
      let bytes = 0;
      let seen = 0;
      let next = from;
      for (const row of found) {
        seen += 1;
        next = Number(row['seq']);
        if (row['fits'] !== 1) continue;
        rows.push(toRow(row));
        bytes += String(row['body']).length;
        if (rows.length >= limit || bytes >= MAX_BYTES) return { rows, next };
      }
      return { rows, next: seen < MAX_SCAN ? null : next };
    },
    show: (seq) => {
      const row = one.get(seq);
      if (row === undefined) return null;
      const hash = payloadOf(seq);
      if (hash === null) return { ...toRow(row), payload: { state: 'none' } };
      const text = payload.get(hash)?.['body'];
      return {
        ...toRow(row),
        payload: typeof text === 'string' ? { state: 'kept', body: text } : { state: 'gone' },
      };
    },
    instances: (prefix) => {
      const found: string[] = [];
      for (let from = prefix; found.length < 3; from = `${found.at(-1)}\0`) {
        const row = next.get(from, `${prefix}\u{10ffff}`);
        if (row === undefined) break;
        found.push(String(row['instance']));
      }
      return found;
    },
    payloadOf,
    erase: (hash, at) => Number(erase.run(at, hash).changes) === 1,
    lastTurn: () => {
      const row = lastTurn.get();
      if (row === undefined) return null;
      const pid = bodyOf(row).data['pid'];
      return {
        seq: Number(row['seq']),
        type: String(row['type']),
        pid: typeof pid === 'number' ? pid : null,
      };
    },
  };
}

function toRow(row: Record<string, SQLOutputValue>): AuditRow {
  return { seq: Number(row['seq']), body: String(row['body']), hash: String(row['hash']) };
}

/** Only our own appends made the column. */
function bodyOf(row: Record<string, SQLOutputValue>): {
  data: Record<string, unknown>;
  binds?: { payload?: { sha256: string } };
} {
  return JSON.parse(String(row['body'])) as ReturnType<typeof bodyOf>;
}
