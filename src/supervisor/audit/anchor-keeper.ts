import { type Anchor, anchorHead, anchorLine, parseAnchor } from '../../audit/anchor.ts';
import { anchorPath, appendAnchor, readAnchor } from '../../audit/anchor-file.ts';
import { type AuditEntry, SUPERVISOR } from '../../audit/record.ts';
import { ensureError } from '../../errors/workflow-error.ts';
import type { AuditAbout } from '../../store/operations.ts';
import type { SupervisorContext } from '../context.ts';
import { RECENT, readAnchorEnd, signedOrKnown } from './anchor-end.ts';

/** Appends to the anchor what the database has and it lacks. */
export interface AnchorKeeper {
  readonly file: string;
  /** The last record that was signed when the keeper was opened. */
  readonly signedThrough: number;
  /** What was wrong with the anchor when the keeper was opened, in a sentence or two. */
  readonly problem: string | null;
  /** Anchors all checkpoints that are committed. A file that cannot be written is recorded, and tried next time. */
  follow(): Promise<void>;
}

/** What was found wrong with an anchor at the start; each makes `audit verify` doubt what came before. */
type AnchorFault = 'missing' | 'damaged' | 'cut' | 'ahead';

const FAULTS: Readonly<Record<AnchorFault, string>> = {
  missing: 'is gone',
  damaged: 'has lines that were changed',
  cut: 'has lost its end',
  ahead: 'knows of records that the database lacks: it lost its end, or an older one was put in its place',
};

const PAGE = 500;
/**
 * Finds the anchor of the log and brings it up. A crash leaves it one checkpoint behind; whatever else is wrong with
 * its end is recorded, so that it cannot be mended in silence. The rest of it is for `audit verify` to judge.
 */
export async function openAnchorKeeper(
  context: SupervisorContext,
  env: NodeJS.ProcessEnv,
): Promise<AnchorKeeper> {
  const { store, home, log } = context;
  const about = await store.call('audit.about', {});
  const file = anchorPath(home.folder, about.log, env);
  const newest = about.checkpoint;
  let anchored = newest?.number ?? 0;
  /** The line that names the key, until it is written. */
  let head = '';
  let isCutShort = false;
  let isUnwritable = false;

  const append = async (lines: string): Promise<boolean> => {
    try {
      const text = head + lines;
      // A line that was cut short stays; the same line follows it as a whole.
      await appendAnchor(file, isCutShort ? `\n${text}` : text);
      head = '';
      isCutShort = false;
      isUnwritable = false;
      return true;
    } catch (error) {
      const cause = ensureError(error).message;
      log.error('the anchor of the audit log cannot be written', { file, cause });
      isCutShort = true;
      if (!isUnwritable) await record(context, 'audit.anchor_unwritable', { file, cause });
      isUnwritable = true;
      return false;
    }
  };

  const follow = async (): Promise<void> => {
    for (let isMore = true; isMore; ) {
      const page = await store.call('audit.checkpoints', { after: anchored, limit: PAGE });
      isMore = page.length === PAGE;
      if (page.length === 0 && head === '') return;
      if (!(await append(page.map(anchorLine).join('')))) return;
      anchored = page.at(-1)?.number ?? anchored;
    }
  };

  const recent = await store.call('audit.checkpoints', {
    after: Math.max(0, anchored - RECENT),
    limit: RECENT,
  });
  await carryOver(context, about, file);
  const text = read(context, () => readAnchorEnd(file, about));
  const anchor = parseAnchor(text ?? '', about.log, signedOrKnown(recent));
  const fault = await faultOf(context, about, anchor);
  if (fault !== null) {
    log.error('the anchor of the audit log is not what it was', { file, fault });
    await record(context, 'audit.anchor_fault', {
      fault,
      file,
      anchored: anchor.checkpoints.at(-1)?.seq ?? 0,
      signed: newest?.seq ?? 0,
    });
  }
  isCutShort = anchor.rest !== '';
  if (!anchor.keys.includes(about.publicKey))
    head = anchorHead(about.log, about.publicKey, home.folder, context.now());
  if (fault !== 'ahead') anchored = Math.min(anchored, anchor.checkpoints.at(-1)?.number ?? 0);
  await follow();
  // Not before it is begun: after a crash between the two the next start would take it for lost.
  if (about.anchor !== file) await store.call('audit.set_anchor', { file });
  const problem =
    fault === null
      ? null
      : `The anchor of the audit log ${FAULTS[fault]} (${file}). To see what: q workflow audit verify`;
  return { file, signedThrough: newest?.seq ?? 0, problem, follow };
}

async function faultOf(
  { store }: SupervisorContext,
  about: AuditAbout,
  anchor: Anchor,
): Promise<AnchorFault | null> {
  const last = anchor.checkpoints.at(-1);
  const newest = about.checkpoint?.number ?? 0;
  if (anchor.badLines.length > 0) return 'damaged';
  if (anchor.keys.length === 0) return about.anchor === null && newest === 0 ? null : 'missing';
  if (last !== undefined) {
    const [mine] = await store.call('audit.checkpoints', { after: last.number - 1, limit: 1 });
    // What was pruned is not there any more, and says nothing.
    if (mine === undefined || (mine.number === last.number && mine.body !== last.body)) return 'ahead';
  }
  if (newest - (last?.number ?? 0) <= 1) return null;
  const excuses = await store.call('audit.read', {
    order: 'oldest',
    from: last?.seq ?? 0,
    limit: 1,
    since: null,
    until: null,
    type: 'audit.anchor_unwritable',
    instance: null,
  });
  return excuses.rows.length > 0 ? null : 'cut';
}

/**
 * What the anchor said where it was before goes with it to its new place, behind what others have there; what a crash
 * kept from coming along follows at the next start. Where the new place says something else of this log, that counts.
 */
async function carryOver(context: SupervisorContext, about: AuditAbout, file: string): Promise<void> {
  if (about.anchor === null || about.anchor === file) return;
  const text = read(context, () => readAnchor(file)) ?? '';
  const there = ownLines(text, about.log);
  const before = ownLines(read(context, () => readAnchor(about.anchor ?? '')) ?? '', about.log);
  const rest = before.slice(there.length);
  if (rest.length === 0 || there.some((line, index) => line !== before[index])) return;
  const isCut = text !== '' && !text.endsWith('\n');
  try {
    await appendAnchor(file, `${isCut ? '\n' : ''}${rest.join('\n')}\n`);
  } catch (error) {
    context.log.error('the anchor of the audit log cannot be moved', {
      file,
      cause: ensureError(error).message,
    });
  }
}

/** Whole lines only. */
function ownLines(text: string, log: string): string[] {
  return text
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.includes(log));
}

function read({ log }: SupervisorContext, act: () => string | null): string | null {
  try {
    return act();
  } catch (error) {
    log.error('the anchor of the audit log cannot be read', { cause: ensureError(error).message });
    return null;
  }
}

/** Awaited nowhere it could hold up a stop: what cannot be recorded is in the log of the supervisor. */
async function record(
  context: SupervisorContext,
  type: string,
  data: Readonly<Record<string, unknown>>,
): Promise<void> {
  const entry: AuditEntry = { type, at: context.now(), actor: SUPERVISOR, instance: null, data };
  try {
    await context.store.call('audit.append', { entries: [entry] });
  } catch (error) {
    context.log.error('the state of the anchor could not be recorded', { cause: ensureError(error).message });
  }
}
