import type { Anchor, AnchoredCheckpoint } from '../anchor.ts';
import { checkpointDigest } from '../checkpoint.ts';
import type { LogFile } from './log-file.ts';
import type { RecordBody } from './records.ts';
import { openHashes, rewritten, truncated } from './signed.ts';
import type { Findings } from './verdict.ts';

/** What the anchor adds to the verdict. */
export interface AnchorReport {
  /** The last record that it vouches for; 0 when none. */
  readonly through: number;
  readonly checkpoints: number;
  /** Why nothing can be told by it, or only a part; null when it vouches for the log. */
  readonly doubt: string | null;
  readonly notes: readonly string[];
}

/** The anchor, and what of it the database can have. */
interface Anchored {
  readonly anchor: Anchor;
  /** The highest number that it had before the database was opened: what came after it may be newer than what we read there. */
  readonly seen: number;
  /** The number of the first checkpoint that pruning left: those before it are the anchor's alone, or nobody's. */
  readonly from: number;
}

/** Compares the log with its anchor. */
export function checkAnchor(
  file: LogFile,
  { anchor, seen, from }: Anchored,
  own: readonly RecordBody[],
  findings: Findings,
): AnchorReport {
  const { database, first, last } = file;
  const hashOf = openHashes(database);
  const get = database.prepare('SELECT seq, body FROM audit_checkpoints WHERE number = ?');
  const newest = Number(database.prepare('SELECT max(number) AS n FROM audit_checkpoints').get()?.['n'] ?? 0);
  const notes: string[] = [];
  const [head] = anchor.keys;
  if (
    head !== undefined &&
    anchor.checkpoints.length > 0 &&
    !anchor.checkpoints.some(({ says }) => says.key === head)
  )
    findings.add({
      kind: 'anchor_edited',
      seq: null,
      message: 'the anchor begins with a key that signed none of its checkpoints',
    });
  for (const line of anchor.badLines)
    findings.add({
      kind: 'anchor_edited',
      seq: null,
      line,
      message: `line ${line} of the anchor is none, or its signature does not hold`,
    });
  if (anchor.keys.length === 0 && anchor.checkpoints.length > 0)
    findings.add({
      kind: 'anchor_edited',
      seq: null,
      message: 'the anchor has checkpoints of this log and no head',
    });
  if (anchor.rest !== '') notes.push('the last line of the anchor is cut short, as by a crash');

  const newestBodies = new Map(anchor.checkpoints.map(({ number, body }) => [number, body]));
  let hasForked = false;
  let before: AnchoredCheckpoint | null = null;
  let good = 0;
  for (const checkpoint of anchor.checkpoints) {
    const { number, seq, line, says } = checkpoint;
    const by = `line ${line} of the anchor`;
    if (before !== null && before.number === number && before.body === checkpoint.body) continue;
    const isOfOldHistory = newestBodies.get(number) !== checkpoint.body;
    if (isOfOldHistory) {
      const message = `${by} and a later one are both of checkpoint ${number}: the database was put back to an older copy`;
      findings.add({ kind: 'forked', seq: Math.min(seq, good + 1), line, message });
    } else if (number <= (before?.number ?? 0)) {
      // After a fork the new history goes on from where the old one was left.
      if (!hasForked) findings.add({ kind: 'anchor_edited', seq, line, message: `${by} is out of order` });
    } else if (before === null ? number > from : number !== before.number + 1)
      findings.add({
        kind: 'anchor_cut',
        seq: (before?.seq ?? 0) + 1,
        through: seq,
        line,
        message: `a checkpoint is missing in the anchor before line ${line}, which has number ${number}`,
      });
    else if (
      before === null ? number === 1 && says.previous !== null : says.previous !== checkpointDigest(before)
    )
      findings.add({
        kind: 'anchor_edited',
        seq,
        line,
        message: `${by} does not follow from the one before it`,
      });
    hasForked ||= isOfOldHistory;
    before = checkpoint;
    if (isOfOldHistory) continue;
    if (number > newest && number > seen) continue;
    if (number < from && seq < first) {
      good = seq;
      continue;
    }
    const row = get.get(number);
    if (row?.['body'] === checkpoint.body) {
      good = seq;
      continue;
    }
    const hash = hashOf(seq);
    if (hash === says.hash) good = seq;
    if (seq > last) {
      findings.add(truncated(last, seq, by));
      continue;
    }
    if (hash !== null && hash !== says.hash) {
      if (!findings.hasIn(good + 1, seq)) findings.add(rewritten(good, seq, by));
    } else
      findings.add({
        kind: row === undefined ? 'checkpoint_missing' : 'checkpoint_edited',
        seq,
        line,
        message: `checkpoint ${number}, of record ${seq}, is not the one of ${by}`,
      });
  }

  if (anchor.keys.length === 0 && anchor.checkpoints.length === 0)
    return { through: 0, checkpoints: 0, doubt: 'the anchor does not know this log', notes };
  const through = before?.seq ?? 0;
  const behind = newest - (before?.number ?? 0);
  let doubt: string | null = null;
  if (behind === 1) notes.push('the anchor lacks the last checkpoint, as after a crash');
  if (behind > 1) {
    const excuse = own.find(({ type, seq }) => type === 'audit.anchor_unwritable' && seq > through);
    if (excuse !== undefined)
      doubt = `nothing vouches for the records after ${through}: the anchor could not be written (record ${excuse.seq})`;
    else
      findings.add({
        kind: 'anchor_cut',
        seq: through + 1,
        through: last,
        message: `the anchor ends at record ${through} and lacks ${behind} checkpoints`,
      });
  }
  return { through, checkpoints: anchor.checkpoints.length, doubt, notes };
}
