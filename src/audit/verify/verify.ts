import { existsSync } from 'node:fs';
import { ensureError } from '../../errors/workflow-error.ts';
import { type Anchor, parseAnchor } from '../anchor.ts';
import { anchorPath, readAnchor } from '../anchor-file.ts';
import { emptyFold, loadHeads } from '../fold.ts';
import { type AuditKey, otherLogs, readKey } from '../keys.ts';
import { type AnchorReport, checkAnchor } from './anchored.ts';
import { checkTiedJournals } from './journals.ts';
import { type LogFile, openLogFile } from './log-file.ts';
import { lastKeyChange, type RecordBody, readRecords } from './records.ts';
import { checkTriggers } from './schema.ts';
import { checkSegments, readSegments } from './segments.ts';
import { checkCheckpoints } from './signed.ts';
import { checkState } from './state.ts';
import { type AuditProblem, type Findings, openFindings, type Verdict } from './verdict.ts';

export interface VerifyOptions {
  readonly database: string;
  /** The state folder: its key names the first forged record, and other keys tell of a log that was replaced. */
  readonly home: string;
  readonly keysFolder: string;
  /** The anchor file; null: the one of the environment, else the one that the database names. */
  readonly anchor: string | null;
  /** The public key to trust; null: the first one of the anchor. */
  readonly key: string | null;
  /** What was recorded before this number is not judged. */
  readonly from: number;
  readonly env: NodeJS.ProcessEnv;
}

/** The answer of `audit verify`. */
export interface VerifyReport {
  readonly verdict: Verdict;
  readonly first_bad: AuditProblem | null;
  /** At most 100, the first bad place first. */
  readonly problems: readonly AuditProblem[];
  readonly problem_count: number;
  /** Why it cannot be told, when the verdict is `unknown`. */
  readonly doubts: readonly string[];
  readonly notes: readonly string[];
  readonly database: string;
  readonly log: string | null;
  readonly key: string | null;
  readonly records: number;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly checkpoints: number;
  readonly signed_through: number;
  readonly anchor: {
    readonly file: string | null;
    readonly found: boolean;
    readonly checkpoints: number;
    readonly through: number;
  };
}

/** Checks a log from its file, beside a running supervisor or without one. Changes nothing. */
export function verifyAudit(options: VerifyOptions): VerifyReport {
  // Also what has a number below the first one.
  const findings = openFindings(options.from <= 1 ? Number.NEGATIVE_INFINITY : options.from);
  if (!existsSync(options.database)) return withoutDatabase(options, findings);
  // Before the database: what the anchor has now must be there.
  const early = earlyAnchor(options);
  let file: LogFile;
  try {
    file = openLogFile(options.database);
  } catch (error) {
    const message = `the database cannot be read: ${ensureError(error).message}`;
    findings.add({ kind: 'database_corrupt', seq: null, message });
    return report(options, findings, {});
  }
  try {
    return verifyFile(options, file, early, findings);
  } finally {
    file.close();
  }
}

function verifyFile(
  options: VerifyOptions,
  file: LogFile,
  early: ReadonlyMap<string, string | null>,
  findings: Findings,
): VerifyReport {
  const { database, log, first, last } = file;
  const anchorFile = anchorOf(options, file);
  const seenText = early.has(anchorFile) ? early.get(anchorFile) : null;
  // Whether it is signed is asked below, of the text that is read later.
  const seen = highest(parseAnchor(seenText ?? '', log, () => true));
  const read = tryRead(anchorFile);
  const anchor = parseAnchor(read.text ?? '', log);
  const found = read.text !== null;
  const trusted = options.key ?? anchor.keys[0] ?? file.key;
  const facts: Facts = { file, anchorFile, found, trusted };
  const notes: string[] = [];
  const doubts: string[] = [];
  const key = sealingKey(options, file, trusted, notes);
  if (isOlder(file) && anchor.checkpoints.length === 0) {
    doubts.push('the database is of a version without checkpoints; starting the supervisor once upgrades it');
    return report(options, findings, { ...facts, notes, doubts });
  }
  try {
    if (isOlder(file)) {
      const message = 'the checkpoints that the anchor has are gone from the database';
      findings.add({ kind: 'checkpoint_missing', seq: 1, message });
      return report(options, findings, { ...facts, notes, doubts });
    }
    checkTriggers(database, findings);
    checkNumbers(file, findings);
    const sealed = readSegments(file, findings);
    const fold = emptyFold();
    if (sealed.heads !== null) loadHeads(fold, sealed.heads);
    checkTiedJournals(database, fold, null, findings);
    const records = readRecords(file, { hash: sealed.hash, fold }, key, findings);
    checkSegments(file, sealed, records.own, findings);
    const signed = checkCheckpoints(file, sealed.checkpointsFrom, trusted, findings);
    const anchored = found
      ? checkAnchor(file, { anchor, seen, from: sealed.checkpointsFrom }, records.own, findings)
      : { through: 0, checkpoints: 0, doubt: read.fault, notes: [] };
    // Without the heads the records say too little of the tables.
    if (first <= 1 || sealed.heads !== null) {
      const { payloads } = records;
      const pruned = sealed.segments.filter((segment) => segment.last < first);
      const prunedUntil = Math.max(...pruned.map(({ until }) => until));
      checkState(database, records.fold, { payloads, prunedUntil }, findings);
    }
    checkOtherLogs(options, log, findings);
    doubts.push(...doubtsOf(anchored, signed.untrustedFrom, records.own, options.from));
    notes.push(...anchored.notes);
    if (signed.through < last && last > 0) {
      const unsigned = `records ${Math.max(first, signed.through + 1)} to ${last} are not signed yet`;
      // Anybody can go on with a chain of hashes; the seals tell who did.
      if (key === null) doubts.push(`${unsigned}, and their seals cannot be checked without the key`);
      else if (key.publicKey !== trusted)
        doubts.push(`${unsigned}, and are sealed by a key that the anchor does not begin with`);
      else notes.push(unsigned);
    }
    return report(options, findings, {
      ...facts,
      notes,
      doubts,
      records: records.count,
      checkpoints: signed.checkpoints,
      signedThrough: signed.through,
      anchored,
    });
  } catch (error) {
    if (!(error instanceof Error && 'errcode' in error)) throw error;
    const message = `the database cannot be read to its end: ${error.message}`;
    findings.add({ kind: 'database_corrupt', seq: null, message });
    return report(options, findings, { ...facts, notes, doubts });
  }
}

/** Records are counted from 1: what is below was put there. */
function checkNumbers({ database }: LogFile, findings: Findings): void {
  const row = database.prepare('SELECT min(seq) AS seq FROM audit WHERE seq < 1').get();
  if (row?.['seq'] === null || row === undefined) return;
  const seq = Number(row['seq']);
  findings.add({ kind: 'inserted', seq, message: `record ${seq} has a number that no record gets` });
}

/** No table of checkpoints, and no key that ever signed one. */
function isOlder({ database, key }: LogFile): boolean {
  const found = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'audit_checkpoints'").get();
  return found === undefined && key === null;
}

function doubtsOf(
  anchored: AnchorReport,
  untrustedFrom: number | null,
  own: readonly RecordBody[],
  from: number,
): string[] {
  const doubts = anchored.doubt === null ? [] : [anchored.doubt];
  if (untrustedFrom !== null)
    doubts.push(`records from ${untrustedFrom} on are signed by a key that the anchor does not begin with`);
  for (const { type, seq, data } of own)
    if (type === 'audit.anchor_fault' && seq >= from)
      doubts.push(
        `the anchor was ${String(data['fault'])} when record ${seq} was written: nothing outside the database vouches for what came before`,
      );
  return doubts;
}

/** The key of this state folder, when it is the one that sealed the records. */
function sealingKey(
  { keysFolder }: VerifyOptions,
  { database, log, key }: LogFile,
  trusted: string | null,
  notes: string[],
): AuditKey | null {
  try {
    const found = readKey(keysFolder, log);
    const isOurs = found !== null && (found.publicKey === trusted || found.publicKey === key);
    if (isOurs && (lastKeyChange(database)?.key ?? found.publicKey) === found.publicKey) return found;
    notes.push('the key of the log is not here: seals of records were not checked');
  } catch (error) {
    notes.push(`seals of records were not checked: ${ensureError(error).message}`);
  }
  return null;
}

function anchorOf({ anchor, home, env }: VerifyOptions, file: LogFile): string {
  if (anchor !== null) return anchor;
  const path = anchorPath(home, file.log, env);
  return existsSync(path) ? path : (file.anchor ?? path);
}

/** The texts of the anchors that may be ours, before the database is opened. */
function earlyAnchor(options: VerifyOptions): Map<string, string | null> {
  try {
    const file = openLogFile(options.database);
    file.close();
    const path = anchorOf(options, file);
    return new Map([[path, tryRead(path).text]]);
  } catch (error) {
    // What is wrong with the database is said when it is read.
    if (error instanceof Error) return new Map();
    throw error;
  }
}

function tryRead(file: string): { text: string | null; fault: string } {
  try {
    return { text: readAnchor(file), fault: `there is no anchor ${file}` };
  } catch (error) {
    return { text: null, fault: `the anchor cannot be read: ${ensureError(error).message}` };
  }
}

function highest({ checkpoints }: Anchor): number {
  return checkpoints.reduce((most, { number }) => Math.max(most, number), 0);
}

/** A key of another log whose anchor has checkpoints: that log was here, and is not any more. */
function checkOtherLogs(options: VerifyOptions, log: string | null, findings: Findings): void {
  for (const other of otherLogs(options.keysFolder, log)) {
    const { text } = tryRead(options.anchor ?? anchorPath(options.home, other, options.env));
    const last = parseAnchor(text ?? '', other).checkpoints.at(-1);
    if (last === undefined) continue;
    const what = log === null ? 'the database is gone' : `the database holds the log ${log}`;
    const message = `${what}, and this state folder had the log ${other} with ${last.seq} records`;
    findings.add({ kind: log === null ? 'database_missing' : 'log_replaced', seq: 1, message });
  }
}

function withoutDatabase(options: VerifyOptions, findings: Findings): VerifyReport {
  checkOtherLogs(options, null, findings);
  return report(options, findings, { doubts: [`there is no database ${options.database}`] });
}

interface Facts {
  readonly file?: LogFile;
  readonly anchorFile?: string;
  readonly found?: boolean;
  readonly trusted?: string | null;
  readonly notes?: readonly string[];
  readonly doubts?: readonly string[];
  readonly records?: number;
  readonly checkpoints?: number;
  readonly signedThrough?: number;
  readonly anchored?: AnchorReport;
}

function report(options: VerifyOptions, findings: Findings, facts: Facts): VerifyReport {
  const problems = findings.sorted();
  const doubts = facts.doubts ?? [];
  return {
    verdict: findings.count > 0 ? 'tampered' : doubts.length > 0 ? 'unknown' : 'intact',
    first_bad: problems[0] ?? null,
    problems,
    problem_count: findings.count,
    doubts,
    notes: facts.notes ?? [],
    database: options.database,
    log: facts.file?.log ?? null,
    key: facts.trusted ?? null,
    records: facts.records ?? 0,
    first_seq: facts.file?.first ?? 0,
    last_seq: facts.file?.last ?? 0,
    checkpoints: facts.checkpoints ?? 0,
    signed_through: facts.signedThrough ?? 0,
    anchor: {
      file: facts.anchorFile ?? null,
      found: facts.found ?? false,
      checkpoints: facts.anchored?.checkpoints ?? 0,
      through: facts.anchored?.through ?? 0,
    },
  };
}
