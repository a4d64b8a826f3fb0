import { sha256 } from '../canonical.ts';
import type { Heads } from '../fold.ts';
import { isSignedBy } from '../keys.ts';
import { genesisHash } from '../record.ts';
import type { SegmentBody } from '../segment.ts';
import type { LogFile } from './log-file.ts';
import type { RecordBody } from './records.ts';
import { openHashes, parseBody, rewritten, truncated } from './signed.ts';
import type { Findings } from './verdict.ts';

/** What sealed segments say, before the chain is read. */
export interface SealedPart {
  readonly segments: readonly SegmentBody[];
  /** The hash before the first record that is there; null when nothing says it. */
  readonly hash: string | null;
  /** What the pruned records left of what they said; null when nothing was pruned, or it is not what they left. */
  readonly heads: Heads | null;
  /** The number of the first checkpoint that was left; 1 when none was removed. */
  readonly checkpointsFrom: number;
}

/** Checks the segments with their signatures and links, and finds where the chain that is left begins. */
export function readSegments(file: LogFile, findings: Findings): SealedPart {
  const { database, log, first } = file;
  const segments: SegmentBody[] = [];
  let previous: string | null = null;
  let isWhole = true;
  for (const row of database.prepare('SELECT * FROM audit_segments ORDER BY number').iterate()) {
    const text = String(row['body']);
    const body = parseBody<SegmentBody>(text);
    const before = segments.at(-1);
    const isNext =
      body !== null &&
      body.v === 1 &&
      body.log === log &&
      body.number === (before?.number ?? 0) + 1 &&
      body.previous === previous &&
      body.first === (before?.last ?? 0) + 1 &&
      body.before === (before?.hash ?? genesisHash(log)) &&
      row['number'] === body.number &&
      row['first'] === body.first &&
      row['last'] === body.last;
    if (!isNext || !isSignedBy(body.key, text, String(row['signature']))) {
      const message = `segment ${Number(row['number'])} is not the one that was sealed after the one before it`;
      findings.add({ kind: 'segment_edited', seq: Number(row['first']), message });
      isWhole = false;
      break;
    }
    segments.push(body);
    previous = sha256(text);
  }
  const end = segments.find(({ last }) => last === first - 1);
  // A segment that was changed is the better word for it.
  if (first > 1 && end === undefined && isWhole)
    findings.add(lost(first, 'and no sealed segment ends there'));
  return {
    segments,
    hash: first <= 1 ? genesisHash(log) : (end?.hash ?? null),
    ...(first <= 1 ? NOTHING_PRUNED : readPruned(file, findings)),
  };
}

/** The chain against the segments, and the segments against the records that speak of them. */
export function checkSegments(
  file: LogFile,
  { segments }: SealedPart,
  own: readonly RecordBody[],
  findings: Findings,
): void {
  const { database, first, last } = file;
  const hashOf = openHashes(database);
  for (const segment of segments) {
    const by = `segment ${segment.number}`;
    if (segment.last > last) findings.add(truncated(last, segment.last, by));
    else if (segment.last >= first && hashOf(segment.last) !== segment.hash)
      if (!findings.hasIn(segment.first, segment.last))
        findings.add(rewritten(segment.first - 1, segment.last, by));
  }
  const get = database.prepare('SELECT body FROM audit_segments WHERE number = ?');
  for (const { type, seq, data } of own) {
    if (type !== 'audit.sealed' && type !== 'audit.pruned') continue;
    const row = get.get(Number(data['segment']));
    if (row !== undefined && sha256(String(row['body'])) === data['digest']) continue;
    const message = `segment ${String(data['segment'])} is not the one that record ${seq} speaks of`;
    findings.add({ kind: 'segment_edited', seq, message });
  }
}

type Pruned = Pick<SealedPart, 'heads' | 'checkpointsFrom'>;

const NOTHING_PRUNED: Pruned = { heads: null, checkpointsFrom: 1 };

/** What the record of the last pruning names: heads, and where the checkpoints begin. */
function readPruned({ database, first }: LogFile, findings: Findings): Pruned {
  const record = database
    .prepare("SELECT seq, body FROM audit WHERE type = 'audit.pruned' ORDER BY seq DESC LIMIT 1")
    .get();
  const data = parseBody<RecordBody>(String(record?.['body'] ?? ''))?.data;
  if (record === undefined || data?.['last'] !== first - 1) {
    findings.add(lost(first, 'and no record says that they were pruned'));
    return NOTHING_PRUNED;
  }
  // One of an older version says nothing, and removed none.
  const checkpointsFrom = Number(data['checkpoints_from'] ?? 1);
  const row = database.prepare('SELECT body FROM audit_heads WHERE last = ?').get(first - 1);
  const text = String(row?.['body'] ?? '');
  if (sha256(text) === data['heads']) return { heads: parseBody<Heads>(text), checkpointsFrom };
  const seq = Number(record['seq']);
  const message = `what pruned records said of the tables is not what record ${seq} speaks of`;
  findings.add({ kind: 'state_mismatch', seq, message });
  return { heads: null, checkpointsFrom };
}

function lost(first: number, why: string): Parameters<Findings['add']>[0] {
  const message = `records 1 to ${first - 1} are missing, ${why}`;
  return { kind: 'missing', seq: 1, through: first - 1, message };
}
