import type { Breach, IoBytes, LimitName, Scope } from '../../../sandbox/isolation.ts';
import type { ProcessIdentity } from '../../../sandbox/process-identity.ts';
import type { JournalEntry } from '../../engine/events.ts';
import { projectRun, type RunProjection } from '../../engine/projection.ts';
import type { ControlNotification } from '../../protocol/control.ts';
import type { ProcessEnd } from '../../protocol/instance-link.ts';
import type { JsonLines } from '../../protocol/json-lines.ts';
import type { ApprovalRow } from '../../store/tables/approval-rows.ts';
import type { InstanceRow, InstanceStatus, UsageTotals } from '../../store/tables/instance-rows.ts';
import { hasEnded } from '../../store/tables/instance-rows.ts';
import { stepDocument } from './status-document.ts';
import type { UsageHistory, UsagePoint } from './usage-history.ts';

/** Why the supervisor itself ends an instance; decided before the kill, read when the process is gone. */
export type EndRequest =
  | { readonly kind: 'killed'; readonly by: string }
  | { readonly kind: 'kill_switch'; readonly by: string }
  | { readonly kind: 'time_limit'; readonly by: string }
  | { readonly kind: 'start_failed'; readonly by: string }
  /** Its event loop does not turn; `by` says since when. It is resumed. */
  | { readonly kind: 'hung'; readonly by: string }
  /** A limit that is only observed was passed; `by` names it. */
  | { readonly kind: 'limit'; readonly by: LimitName };

export type Watcher = (notification: ControlNotification) => void;

/** An instance that has, or is about to have, a process. Owned by the fleet; one object for its whole life. */
export interface LiveInstance {
  row: InstanceRow;
  status: InstanceStatus;
  readonly projection: RunProjection;
  /** What persons were asked, by number; as committed. */
  approvals: readonly ApprovalRow[];
  /** Numbers of those whose decision is being committed. */
  readonly beingDecided: Set<number>;
  readonly watchers: Set<Watcher>;
  /** Hear the scope of a kill switch when its process says that what it covers has ended. */
  readonly switchListeners: Set<(scope: string) => void>;
  incarnation: number;
  tokenHash: string;
  scope: Scope | null;
  process: ProcessIdentity | null;
  link: JsonLines | null;
  /** Resolves when all that the process sent is committed and its connection is closed. */
  silence: () => Promise<void>;
  /** Highest sequence number that is committed. */
  lastSeq: number;
  endRequest: EndRequest | null;
  observedBreach: Breach | null;
  /** Since when its process is active (monotonic, ms); null while it has none, or is paused. */
  activeFrom: number | null;
  /** How its last process ended, where this supervisor saw it. */
  lastProcess: ProcessEnd | null;
  /** Sets the deadlines of the process again when it goes on; null while it has none. */
  rearm: (() => void) | null;
  /** How often its process is to be heard, and when it was (monotonic, ms); null = it has not said that it beats. */
  pulse: { readonly everyMs: number; heardAt: number } | null;
  /** The process of this incarnation said who it is. */
  hasReported: boolean;
  /** By when one that ran on alone has told how far it came (monotonic, ms): Infinity until it is back, 0 for any other. */
  settledAt: number;
  /** Set when a stop was asked for while no process was connected. */
  pendingStop: { readonly kind: 'stop' | 'kill_switch'; readonly by: string } | null;
  /** The end of an instance without a process is being written. */
  closing: Promise<void> | null;
  /** Exit status of our own child, or null for an adopted process. */
  exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | null;
  /** What was sampled; null before the first look. */
  history: UsageHistory | null;
  /** As its process said last, before it ended. */
  ioAtEnd: IoBytes | null;
  usedNow: UsagePoint | null;
  /** Timers and watches of the current incarnation. */
  lifetime: AbortController;
}

export function createLiveInstance(
  row: InstanceRow,
  journal: readonly JournalEntry[],
  approvals: readonly ApprovalRow[],
): LiveInstance {
  const projection = projectRun();
  for (const entry of journal) projection.apply(entry);
  return {
    row,
    status: row.status,
    projection,
    approvals,
    beingDecided: new Set(),
    watchers: new Set(),
    switchListeners: new Set(),
    incarnation: row.incarnation,
    tokenHash: row.tokenHash ?? '',
    scope: null,
    process: row.process,
    link: null,
    silence: () => Promise.resolve(),
    lastSeq: row.lastSeq,
    endRequest: null,
    observedBreach: null,
    activeFrom: null,
    lastProcess: null,
    rearm: null,
    pulse: null,
    hasReported: false,
    settledAt: 0,
    pendingStop: null,
    closing: null,
    exit: null,
    history: null,
    ioAtEnd: null,
    usedNow: null,
    lifetime: new AbortController(),
  };
}

/** How long its process has been active by now, whatever the wall clock did; null when that is not known. */
export function activeMsOf({ activeFrom }: LiveInstance): number | null {
  return activeFrom === null ? null : Math.round(performance.now() - activeFrom);
}

/** Takes a committed event into the picture that status and watchers see. */
export function followJournal(live: LiveInstance, entry: JournalEntry): void {
  if (entry.seq <= live.lastSeq) return;
  live.lastSeq = entry.seq;
  live.projection.apply(entry);
  const { event } = entry;
  const changed =
    'path' in event && event.path !== null && live.watchers.size > 0 ? live.projection.row(event.path) : null;
  const { status } = live.projection;
  if (changed !== null)
    notify(live, {
      method: 'instance.step',
      params: { id: live.row.id, step: stepDocument(changed, live.row.id) },
    });
  // What a paused one still had on the way does not show it as running.
  if (status !== live.status && !isPaused(live)) setStatus(live, status, null);
}

/** True while it may have ended alone, without a supervisor, and not have told yet. Who stands still tells nothing. */
export function isReturning(live: LiveInstance): boolean {
  return performance.now() < live.settledAt && !isPaused(live);
}

/** True while it is kept from going on: its processes, if it has any, stand still. */
export function isPaused(live: LiveInstance): boolean {
  return live.row.pausedAt !== null && !hasEnded(live.projection.status);
}

/** The first reason counts, but who ends it for good, a person or a limit, outdoes what only starts it again. */
export function noteEnd(live: LiveInstance, request: EndRequest): void {
  if (live.endRequest === null || (isTrouble(live.endRequest) && !isTrouble(request)))
    live.endRequest = request;
}

function isTrouble({ kind }: EndRequest): boolean {
  return kind === 'hung' || kind === 'start_failed';
}

export function setStatus(live: LiveInstance, status: InstanceStatus, note: string | null): void {
  live.status = status;
  notify(live, { method: 'instance.state', params: { id: live.row.id, status, note } });
}

export function notify(live: LiveInstance, notification: ControlNotification): void {
  for (const watcher of live.watchers) watcher(notification);
}

/** What the scope says that the run used; null when it is gone. */
export function measureUsage(live: LiveInstance): UsageTotals | null {
  if (live.scope === null) return null;
  const usage = live.scope.usage();
  const before = live.row.usage;
  const io = live.scope.io();
  return {
    peakMemoryBytes: Math.max(before?.peakMemoryBytes ?? 0, usage.memoryPeakBytes),
    cpuSeconds: round((before?.cpuSeconds ?? 0) + usage.cpuSeconds),
    processesPeak: Math.max(before?.processesPeak ?? 0, usage.processesPeak),
    cpuThrottledSeconds: round((before?.cpuThrottledSeconds ?? 0) + usage.cpuThrottledSeconds),
    ioReadBytes: sumOf(before?.ioReadBytes, highest(io?.readBytes, live.ioAtEnd?.readBytes)),
    ioWrittenBytes: sumOf(before?.ioWrittenBytes, highest(io?.writtenBytes, live.ioAtEnd?.writtenBytes)),
    series: live.history?.series() ?? before?.series ?? null,
  };
}

function highest(...values: readonly (number | undefined)[]): number | null {
  return values.reduce<number | null>(
    (top, value) => (value === undefined ? top : Math.max(top ?? 0, value)),
    null,
  );
}

/** Null only where neither is known. */
function sumOf(before: number | null | undefined, now: number | null): number | null {
  return now === null ? (before ?? null) : (before ?? 0) + now;
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
