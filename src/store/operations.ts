/** What the writer thread is asked to do. Every write carries its audit record with it, in the same transaction. */
import type { ScopeRecord } from '../../sandbox/isolation.ts';
import type { ProcessIdentity } from '../../sandbox/process-identity.ts';
import type { Checkpoint } from '../audit/checkpoint.ts';
import type { AuditActor, AuditEntry } from '../audit/record.ts';
import type { JournalEntry, RunEvent } from '../engine/events.ts';
import type { PrunedSegment, PruneRequest } from './audit-prune.ts';
import type { AuditPage, AuditQuery, ShownRecord, SupervisorTurn } from './audit-reader.ts';
import type { ApprovalChanges, ApprovalOperations, ApprovalReads } from './tables/approval-rows.ts';
import type { ArchiveOperations, ArchiveReads } from './tables/archive-rows.ts';
import type { AuditHead } from './tables/audit-table.ts';
import type {
  InstanceIsolation,
  InstanceRow,
  ListedInstance,
  NewInstance,
  UsageTotals,
} from './tables/instance-rows.ts';
import type { LatchRow } from './tables/latch-rows.ts';
import type { Documents, RegistrationRow } from './tables/registration-rows.ts';
import type { NewFire, ScheduleOperations, ScheduleReads } from './tables/schedule-rows.ts';
import type { DefinitionChange, VersionReads } from './tables/version-rows.ts';

/** Name → [arguments, result]. All writes of one turn of the writer commit together. */
export interface WriteOperations extends ScheduleOperations, ApprovalOperations, ArchiveOperations {
  /** With `fire`: fails with FIRE_DECIDED when that fire has its decision already. */
  'instance.create': [
    { instance: NewInstance; documents: Documents; at: number; audit: AuditEntry; fire: NewFire | null },
    null,
  ];
  /** A new incarnation. Fails when the instance has ended or `incarnation` is not the next one. */
  'instance.launch': [
    {
      id: string;
      incarnation: number;
      tokenHash: string;
      scope: ScopeRecord;
      isolation: InstanceIsolation;
      at: number;
      audit: AuditEntry;
    },
    null,
  ];
  'instance.process': [
    { id: string; incarnation: number; process: ProcessIdentity; audit: AuditEntry },
    null,
  ];
  /** Events of an instance's own process, in order. Known ones are passed over. Answers the last committed number. */
  'journal.append': [
    {
      id: string;
      incarnation: number;
      entries: readonly JournalEntry[];
      audits: readonly AuditEntry[];
      approvals: ApprovalChanges | null;
    },
    { lastSeq: number },
  ];
  /**
   * Events that the supervisor adds for an instance that has no process; numbered here. Answers them as written:
   * none when the run has ended already.
   */
  'journal.close': [
    { id: string; incarnation: number; events: readonly RunEvent[]; at: number },
    { entries: JournalEntry[] },
  ];
  /** The process of an incarnation is gone. */
  'instance.exited': [
    {
      id: string;
      incarnation: number;
      usage: UsageTotals | null;
      /** As the verdict counted it. */
      fruitless: number;
      /** How long it was active; null = from its start to `at`, by the wall clock. */
      activeMs: number | null;
      at: number;
      audit: AuditEntry;
    },
    null,
  ];
  /** Keeps an instance from going on; its active time stands still. Passed over when it is paused or has ended. */
  'instance.pause': [
    { id: string; by: string; activeMs: number | null; at: number; audit: AuditEntry },
    null,
  ];
  /** Lets it go on. Passed over when it is not paused. */
  'instance.unpause': [{ id: string; at: number; audit: AuditEntry }, null];
  /** Reopens an ended instance for `resume`, under another definition if one is given. NOT_RESUMABLE: it has not ended. */
  'instance.requeue': [
    { id: string; from: string | null; change: DefinitionChange | null; at: number; audit: AuditEntry },
    null,
  ];
  /** One with schedules fires from `registeredAt` on; what an earlier version of it left open stays. */
  'registration.put': [
    { row: RegistrationRow; documents: Documents; schedule: 'has' | 'none'; audit: AuditEntry },
    { number: number; isNew: boolean },
  ];
  'registration.remove': [{ name: string; audit: AuditEntry }, { removed: boolean }];
  /** Latches a kill switch; nothing is written when it is tripped already. Answers the epoch after it. */
  'kill.trip': [{ latch: LatchRow; audit: AuditEntry }, { isNew: boolean; epoch: number }];
  'kill.rearm': [{ scope: string; audit: AuditEntry }, { wasTripped: boolean; epoch: number }];
  'audit.append': [{ entries: readonly AuditEntry[] }, null];
  /** Appends the records of a batch, with the switches that they trip, unless that was done under its name before. */
  'audit.append_once': [
    { batch: string; entries: readonly AuditEntry[]; latches: readonly LatchRow[] },
    { isNew: boolean },
  ];
  /** Signs the head of the chain, and seals a segment when its time has come. Null when there is nothing new. */
  'audit.checkpoint': [{ at: number }, Checkpoint | null];
  /**
   * Removes the oldest sealed segment that is old enough, with a record. `reading`: it has looked at a part of it, ask
   * again. Null when there is none. Fails with AUDIT_TAMPERED.
   */
  'audit.prune': [PruneRequest, PrunedSegment | 'reading' | null];
  /** Takes the text of a record's payload away, with a record. False when there is none (any more). */
  'audit.erase': [{ seq: number; at: number; actor: AuditActor }, { isErased: boolean }];
  /** Remembers where the anchor of the log is. */
  'audit.set_anchor': [{ file: string }, null];
}

export interface ReadOperations extends ScheduleReads, ApprovalReads, ArchiveReads, VersionReads {
  'instance.get': [{ id: string }, InstanceRow | null];
  'instance.find': [{ prefix: string }, string[]];
  /** The instance that was made last, as of a time, UTC ms. */
  'instance.latest': [{ now: number }, string | null];
  /** Those that have not ended, oldest first, whole. */
  'instance.live': [{ limit: number }, InstanceRow[]];
  /** The same for lists: what they show, and `after` which instance to go on (null: from the beginning). */
  'instance.summaries': [{ isLiveOnly: boolean; limit: number; after: string | null }, ListedInstance[]];
  /** Incarnations in a row, up to now, of which no event came. */
  'journal.unheard': [{ id: string }, number];
  /** A page of a bounded size; see `readJournal`. */
  'journal.read': [{ id: string; afterSeq: number }, JournalPage];
  'document.get': [{ hash: string }, string | null];
  'registration.list': [Record<string, never>, Omit<RegistrationRow, 'starter'>[]];
  'registration.get': [{ name: string }, RegistrationRow | null];
  'kill.list': [Record<string, never>, { latches: LatchRow[]; epoch: number }];
  'audit.head': [Record<string, never>, AuditHead];
  'audit.about': [Record<string, never>, AuditAbout];
  'audit.checkpoints': [{ after: number; limit: number }, Checkpoint[]];
  'audit.read': [AuditQuery, AuditPage];
  /** Up to three ids of instances that records speak of and that begin so; archived ones too. */
  'audit.instances': [{ prefix: string }, string[]];
  'audit.show': [{ seq: number }, ShownRecord | null];
  /** The last record that a supervisor came or went. */
  'audit.last_turn': [Record<string, never>, SupervisorTurn | null];
}

export interface JournalPage {
  readonly entries: readonly JournalEntry[];
  /** Behind which event to read on; null at the end. */
  readonly next: number | null;
}

export interface AuditAbout extends AuditHead {
  readonly publicKey: string;
  /** Where the anchor was when a supervisor last ran; null before the first. */
  readonly anchor: string | null;
  /** The newest one. */
  readonly checkpoint: Checkpoint | null;
}

export type Operations = WriteOperations & ReadOperations;
export type OperationName = keyof Operations;
export type Arguments<K extends OperationName> = Operations[K][0];
export type Answer<K extends OperationName> = Operations[K][1];
