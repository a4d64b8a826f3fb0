/** What was found, where. */
export interface AuditProblem {
  readonly kind: ProblemKind;
  /** The record that is wrong, or that is contradicted; null when no record can be named. */
  readonly seq: number | null;
  /** The last record of a range of which the first bad one cannot be told. */
  readonly through?: number;
  readonly instance?: string;
  /** Number of a journal event. */
  readonly event?: number;
  /** Line of the anchor. */
  readonly line?: number;
  readonly message: string;
}

export type ProblemKind =
  /** A record is not what its hash covers, or its columns are not what its text says. */
  | 'edited'
  /** The hash fits, and the seal does not: it was made anew by somebody without the key. */
  | 'forged'
  | 'swapped'
  | 'inserted'
  | 'missing'
  /** Records after this one are gone that were signed or anchored. */
  | 'truncated'
  /** A range of records has hashes that fit, and is not the one that was signed. */
  | 'rewritten'
  | 'unknown_version'
  | 'checkpoint_edited'
  | 'checkpoint_missing'
  | 'segment_edited'
  | 'anchor_edited'
  | 'anchor_cut'
  /** The anchor tells two histories: the database was put back to an older copy and went on. */
  | 'forked'
  /** The database holds another log than the one that this state folder began with. */
  | 'log_replaced'
  | 'journal_mismatch'
  | 'state_mismatch'
  | 'document_mismatch'
  | 'payload_mismatch'
  | 'trigger_missing'
  | 'trigger_added'
  | 'database_corrupt'
  | 'database_missing';

export type Verdict = 'intact' | 'tampered' | 'unknown';

/** The exit status of each verdict: those of `audit verify` alone, where 2 is not wrong usage. */
export const VERDICT_EXIT = { intact: 0, tampered: 2, unknown: 3 } as const satisfies Record<Verdict, number>;

/** Which of two problems says best what happened: what is wrong with records, with what vouches for them, the rest. */
const RANKS: Readonly<Record<ProblemKind, number>> = {
  edited: 0,
  forged: 0,
  swapped: 0,
  inserted: 0,
  missing: 0,
  truncated: 0,
  rewritten: 0,
  unknown_version: 0,
  log_replaced: 0,
  forked: 0,
  database_corrupt: 0,
  database_missing: 0,
  checkpoint_edited: 1,
  checkpoint_missing: 1,
  segment_edited: 1,
  anchor_edited: 1,
  anchor_cut: 1,
  journal_mismatch: 2,
  state_mismatch: 2,
  document_mismatch: 2,
  payload_mismatch: 2,
  trigger_missing: 4,
  trigger_added: 4,
};
const NOWHERE = 3;
/** A log that was made anew has a problem in every row. */
const MAX_PROBLEMS = 100;

/** Collects problems; keeps the first ones and counts the rest. */
export interface Findings {
  add(problem: AuditProblem): void;
  /** True when records of a range have a problem of their own. */
  hasIn(first: number, last: number): boolean;
  readonly count: number;
  /** The first bad place first: records before what vouches for them before state, low numbers before high ones. */
  sorted(): AuditProblem[];
}

/** `from`: what was recorded before is not judged. */
export function openFindings(from: number): Findings {
  const problems: AuditProblem[] = [];
  const perKind = new Map<ProblemKind, number>();
  let count = 0;
  return {
    add: (problem) => {
      if (problem.seq !== null && (problem.through ?? problem.seq) < from) return;
      // Every checkpoint behind the cut says the same: the last of them says it best.
      const cut = problem.kind === 'truncated' ? problems.findIndex(({ kind }) => kind === 'truncated') : -1;
      if (cut >= 0) {
        if ((problem.through ?? 0) > (problems[cut]?.through ?? 0)) problems[cut] = problem;
        return;
      }
      count += 1;
      const already = perKind.get(problem.kind) ?? 0;
      perKind.set(problem.kind, already + 1);
      if (already < MAX_PROBLEMS) problems.push(problem);
    },
    hasIn: (first, last) =>
      problems.some(({ kind, seq }) => seq !== null && seq >= first && seq <= last && RANKS[kind] === 0),
    get count() {
      return count;
    },
    sorted: () =>
      problems
        .map((problem, index) => ({ problem, index, rank: rankOf(problem) }))
        .sort((a, b) => a.rank - b.rank || (a.problem.seq ?? 0) - (b.problem.seq ?? 0) || a.index - b.index)
        .map(({ problem }) => problem)
        .slice(0, MAX_PROBLEMS),
  };
}

function rankOf({ kind, seq }: AuditProblem): number {
  return seq === null ? Math.max(NOWHERE, RANKS[kind]) : RANKS[kind];
}
