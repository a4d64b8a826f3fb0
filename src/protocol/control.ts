/** The people's methods: JSON-RPC 2.0 over `control.sock`, one message a line. Times are UTC ISO 8601. */
import type { BackendName, LimitName } from '../../sandbox/isolation.ts';
import type { LayerName, Tier } from '../../sandbox/launcher/tier.ts';
import type { Json, JsonObject, StepType } from '../definition/workflow.ts';
import type { StepStatus } from '../engine/projection-rows.ts';
import type { ErrorRecord, Problem } from '../errors/workflow-error.ts';
import type { AuditRow } from '../store/audit-reader.ts';
import type { ApprovalMode, InstanceStatus } from '../store/tables/instance-rows.ts';
import type { ApprovalMethods } from './approval-control.ts';
import type { AuditMethods } from './audit-control.ts';
import type { Caller } from './caller.ts';
import type { DrillEvidence, KillDocument, LatchDocument, PolicyReload } from './guard-documents.ts';
import type { ScheduleMethods } from './schedule-control.ts';
import type { SupervisorMethods } from './supervisor-control.ts';
import type { UpkeepMethods } from './upkeep-control.ts';
import type { VersionDocument, WorkflowSummary } from './workflow-control.ts';

/** One step as `status --json` shows it. */
export interface StepDocument {
  readonly path: string;
  readonly id: string;
  readonly type: StepType | null;
  readonly status: StepStatus;
  readonly attempts: number;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  /** Where values over 256 KiB are too large together, `{"$blob": "<sha256>", "bytes": n}` (docs/workflow-file.md). */
  readonly outputs: Json;
  readonly error: ErrorDocument | null;
  /** Numbers of the approvals that it waits for. */
  readonly approvals: readonly number[];
}

/** What `run --json` and `status <id> --json` print (DESIGN section 7). */
export interface StatusDocument {
  readonly id: string;
  readonly workflow: string;
  readonly version: string;
  /** SHA-256 of the definition that it has: `workflow@<first six or more characters>` where it is registered. */
  readonly definition: string;
  readonly status: InstanceStatus;
  readonly reason: string | null;
  /** Who keeps it from going on, and since when; null when nobody does. */
  readonly paused: { readonly by: string; readonly since: string } | null;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly created_at: string;
  readonly workspace: string;
  readonly inputs: JsonObject;
  readonly steps: readonly StepDocument[];
  /** Large values as in `outputs`. */
  readonly context: JsonObject;
  readonly isolation: {
    readonly backend: BackendName;
    readonly enforced: readonly LimitName[];
    readonly observed: readonly LimitName[];
    /** Layers of the steps' sandbox; null for a run that began before they were recorded. */
    readonly layers: { readonly held: readonly LayerName[]; readonly missing: readonly LayerName[] } | null;
    /** Step id → the tier that is held for it; null when not even the laxest is. */
    readonly tiers: Readonly<Record<string, Tier | null>>;
    /** Step id → tool → what its processes can reach through the proxy, by the policies: `api.example.com:443`. */
    readonly networks: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  } | null;
  readonly limits: {
    readonly max_memory_mb: number;
    readonly max_cpu_percent: number;
    readonly max_processes: number;
    /** MiB a second, for reading and for writing each; null = not limited. */
    readonly max_io_mb_per_s: number | null;
  };
  readonly usage: {
    readonly peak_memory_bytes: number;
    readonly cpu_seconds: number;
    readonly processes_peak: number;
    /** Time that the CPU limit held the instance back. */
    readonly cpu_throttled_seconds: number;
    /** From and to disks so far (docs/isolation.md, IO); null where nobody can tell. */
    readonly io_read_bytes: number | null;
    readonly io_written_bytes: number | null;
    /** As of the last look, a quarter of a second ago at most, IO of the last second; null when nothing runs. */
    readonly now: {
      memory_bytes: number;
      cpu_percent: number;
      processes: number;
      io_read_bytes_per_s: number | null;
      io_written_bytes_per_s: number | null;
    } | null;
    /** Oldest first: of each interval the highest memory and the mean CPU (of one core). Null when it was too short. */
    readonly series: {
      readonly interval_ms: number;
      readonly memory_bytes: readonly number[];
      readonly cpu_percent: readonly number[];
      /** Means of each interval; null where nobody could tell. */
      readonly io_read_bytes_per_s: readonly number[] | null;
      readonly io_written_bytes_per_s: readonly number[] | null;
    } | null;
    /** Means over the series. */
    readonly mean_memory_bytes: number | null;
    readonly mean_cpu_percent: number | null;
  } | null;
  /**
   * Limits that were met, of a step or (null) of the instance; the last 50. Units as their names say: bytes for
   * memory and disk, seconds for time, percent of one core for cpu.
   */
  readonly limits_hit: readonly {
    readonly step: string | null;
    readonly limit: LimitName;
    readonly allowed: number;
    readonly peak: number;
    /** processes: starts that the kernel refused. */
    readonly refused?: number;
    /** cpu: how long the quota held it back. */
    readonly held_back_seconds?: number;
  }[];
  readonly incarnations: number;
  /** Of the instance's own process; null when it has none now. */
  readonly pid: number | null;
  readonly notice: string | null;
  readonly error: ErrorDocument | null;
}

export interface ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly step: string | null;
  readonly hint: string | null;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A line of `status` without an id. */
export interface InstanceSummary {
  readonly id: string;
  readonly workflow: string;
  readonly version: string;
  /** SHA-256 of the definition that it has. */
  readonly definition: string;
  readonly status: InstanceStatus;
  readonly reason: string | null;
  readonly paused: StatusDocument['paused'];
  /** Numbers of the approvals that it waits for. */
  readonly approvals: readonly number[];
  readonly created_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
}

export type { SupervisorStatus } from './supervisor-control.ts';

export interface RunRequest {
  /** A name, or the absolute path of a file. With `definition`: what it was made from, which is no file. */
  readonly target: string;
  /** The text of a definition that lies in no file. */
  readonly definition?: string;
  readonly caller: Caller;
  /** Declared inputs by name; a text is read after the declared type. */
  readonly inputs: JsonObject;
  readonly context: JsonObject;
  /** The caller's environment, by allow-list; steps inherit it. */
  readonly env: Readonly<Record<string, string>>;
  /** Variables that describe a model and hold its key: kept apart, for the run's own process alone. */
  readonly modelEnv?: Readonly<Record<string, string>>;
  /** Whether what has to be approved waits for a person (docs/approvals.md); default named. */
  readonly approvals?: ApprovalMode;
  /** -10 to 10, in place of the workflow's own: higher leaves the queue earlier. */
  readonly priority?: number;
}

/** Method → [parameters, result]. */
export interface ControlMethods
  extends ScheduleMethods,
    ApprovalMethods,
    AuditMethods,
    SupervisorMethods,
    UpkeepMethods {
  'workflow.run': [RunRequest, { id: string; notices: string[]; problems: readonly Problem[] }];
  'workflow.list': [{ caller: Caller }, readonly WorkflowSummary[]];
  'workflow.show': [{ target: string; caller: Caller }, WorkflowSummary & { definition: Json }];
  'workflow.register': [
    /** `file`: an absolute path, or `name@version` to make that current again. `env` is for runs that the clock starts. */
    { file: string; caller: Caller; env: RunRequest['env'] },
    {
      name: string;
      version: string;
      number: number;
      is_new: boolean;
      /** What was current until then, where that was of another file. */
      replaces: { version: string; file: string } | null;
      problems: readonly Problem[];
    },
  ];
  /** All contents that were registered under a name, or (null) under any, in their order. */
  'workflow.versions': [{ name: string | null }, readonly VersionDocument[]];
  'workflow.unregister': [{ name: string; caller: Caller }, { name: string }];
  /** Live ones oldest first, all newest first; `after`: behind that one, for the next page. */
  'instance.list': [{ isLiveOnly: boolean; limit: number; after?: string }, readonly InstanceSummary[]];
  'instance.status': [{ id: string }, StatusDocument];
  /** Answers the state now; notifications follow until the instance has ended or the connection closes. */
  'instance.watch': [{ id: string }, StatusDocument];
  'instance.stop': [
    { id: string; isForced: boolean; caller: Caller },
    { id: string; status: InstanceStatus },
  ];
  /** Its processes stand still until `instance.resume`; one without a process is not started until then. */
  'instance.pause': [{ id: string; caller: Caller }, { id: string; status: InstanceStatus }];
  'instance.resume': [
    {
      id: string;
      from: string | null;
      pins: 'check' | 'pinned' | 'current';
      /**
       * Go on with another definition: `new` for what its name or file means now, or as `run` names one. Missing or
       * null: with the one it has.
       */
      definition?: string | null;
      caller: Caller;
      modelEnv?: Readonly<Record<string, string>>;
    },
    { id: string; notices: string[] },
  ];
  /** Latches the switch and ends what it covers; the answer comes when that is over. */
  'kill.trip': [
    { scope: string; mode: LatchDocument['mode']; reason: string; at: number; caller: Caller },
    KillDocument,
  ];
  /** Resumes nothing. `phrase` is what a person typed, for the scope global. */
  'kill.rearm': [{ scope: string; reason: string; phrase: string | null; caller: Caller }, { scope: string }];
  'kill.status': [Record<string, never>, { latches: readonly LatchDocument[]; epoch: number }];
  /** What holds a step of an instance now, as a permit would be told. Records nothing. */
  'kill.probe': [{ id: string; path: string }, { code: 'KILL_SWITCH' | null; reason: string }];
  /** Takes the evidence of a drill into the audit, and notes when it was. */
  'kill.drilled': [{ evidence: DrillEvidence; caller: Caller }, { recorded: true }];
  /** Reads the policies of all runs anew; what runs asks its next permit under them. */
  'policy.reload': [{ caller: Caller }, PolicyReload];
  /** What it was started with, as it stood in the file. */
  'instance.definition': [{ id: string }, { id: string; definition: Json }];
  'instance.logs': [{ id: string }, { id: string; folder: string; hasEnded: boolean }];
}

export type ControlMethod = keyof ControlMethods;

export type ControlNotification =
  /** A person is asked: `approval.list` tells what. */
  | {
      readonly method: 'instance.approval';
      readonly params: { readonly id: string; readonly number: number };
    }
  | {
      readonly method: 'instance.step';
      readonly params: { readonly id: string; readonly step: StepDocument };
    }
  | {
      readonly method: 'instance.state';
      readonly params: { readonly id: string; readonly status: InstanceStatus; readonly note: string | null };
    }
  | {
      readonly method: 'instance.progress';
      readonly params: { readonly id: string; readonly path: string; readonly line: string };
    }
  /** About once a second while it runs. */
  | {
      readonly method: 'instance.usage';
      readonly params: {
        readonly id: string;
        readonly memory_bytes: number;
        readonly cpu_percent: number;
        readonly processes: number;
        /** So far; null where nobody can tell. */
        readonly io_read_bytes: number | null;
        readonly io_written_bytes: number | null;
      };
    }
  | { readonly method: 'audit.records'; readonly params: { readonly rows: readonly AuditRow[] } }
  /** The last one: everything is committed, no process is left. */
  | { readonly method: 'instance.ended'; readonly params: StatusDocument };

export interface RpcRequest {
  readonly jsonrpc: '2.0';
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
}

export type RpcResponse =
  | { readonly jsonrpc: '2.0'; readonly id: number; readonly result: unknown }
  | {
      readonly jsonrpc: '2.0';
      readonly id: number;
      readonly error: { readonly code: number; readonly message: string; readonly data: ErrorRecord };
    };
