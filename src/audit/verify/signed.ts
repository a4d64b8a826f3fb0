import { sha256 } from '../canonical.ts';
import type { CheckpointBody } from '../checkpoint.ts';
import { isSignedBy } from '../keys.ts';
import type { LogFile } from './log-file.ts';
import type { RowReader } from './rows.ts';
import type { Findings } from './verdict.ts';

export interface SignedRows {
  readonly checkpoints: number;
  /** The last record that a checkpoint covers. */
  readonly through: number;
  /** The first record that only an unknown key vouches for; null when there is none. */
  readonly untrustedFrom: number | null;
}

/** The hash that the table holds for a record; null when it is not there. */
export function openHashes(database: RowReader): (seq: number) => string | null {
  const get = database.prepare('SELECT hash FROM audit WHERE seq = ?');
  return (seq) => {
    const row = get.get(seq);
    return row === undefined ? null : String(row['hash']);
  };
}

/** Checks the checkpoints with their signatures, and the chain against them. `from` is the number of the first one. */
export function checkCheckpoints(
  file: LogFile,
  from: number,
  trusted: string | null,
  findings: Findings,
): SignedRows {
  const { database, log, first, last } = file;
  const hashOf = openHashes(database);
  let previous: string | null = null;
  let number = from - 1;
  let good = 0;
  let untrustedFrom: number | null = null;
  for (const row of database.prepare('SELECT * FROM audit_checkpoints ORDER BY number').iterate()) {
    const text = String(row['body']);
    const body = parseBody<CheckpointBody>(text);
    const seq = Number(row['seq']);
    const bad = (kind: 'checkpoint_edited' | 'checkpoint_missing', message: string): void =>
      findings.add({ kind, seq, message });
    if (Number(row['number']) !== number + 1)
      bad(
        'checkpoint_missing',
        `a checkpoint is missing before number ${Number(row['number'])}, at record ${seq}`,
      );
    else if (
      body === null ||
      body.v !== 1 ||
      body.log !== log ||
      body.seq !== seq ||
      body.number !== number + 1
    )
      bad('checkpoint_edited', `checkpoint ${Number(row['number'])}, of record ${seq}, is none of this log`);
    else if (!isSignedBy(body.key, text, String(row['signature'])))
      bad('checkpoint_edited', `the signature of checkpoint ${body.number}, of record ${seq}, does not hold`);
    else if (body.previous !== previous && (from === 1 || number >= from))
      bad('checkpoint_edited', `checkpoint ${body.number} does not name the one before it`);
    else if (seq > last) findings.add(truncated(last, seq, `checkpoint ${body.number}`));
    else if (seq >= first && hashOf(seq) !== body.hash) {
      if (!findings.hasIn(good + 1, seq)) findings.add(rewritten(good, seq, `checkpoint ${body.number}`));
    } else {
      if (body.key !== trusted) untrustedFrom ??= good + 1;
      good = seq;
    }
    number = Number(row['number']);
    previous = sha256(text);
  }
  return { checkpoints: number, through: good, untrustedFrom };
}

export function truncated(last: number, seq: number, by: string): Parameters<Findings['add']>[0] {
  const message = `the log ends at record ${last}, and ${by} is of record ${seq}: its end was cut off`;
  return { kind: 'truncated', seq: last + 1, through: seq, message };
}

export function rewritten(good: number, seq: number, by: string): Parameters<Findings['add']>[0] {
  const message = `records ${good + 1} to ${seq} are not those of ${by}: one or more of them were made anew`;
  return { kind: 'rewritten', seq: good + 1, through: seq, message };
}

/** The object that a signed text is; null when it is none. Its members are compared one by one by the caller. */
export function parseBody<T>(text: string): T | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as T) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
