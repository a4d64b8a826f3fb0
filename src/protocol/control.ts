/** The people's methods: JSON-RPC 2.0 over `control.sock`, one message a line. Times are UTC ISO 8601. */
import type { BackendName, LimitName } from '../../sandbox/isolation.ts';
import type { Json, JsonObject, StepType } from '../definition/workflow.ts';
import type { StepStatus } from '../engine/projection-rows.ts';
import type { ErrorRecord, Problem } from '../errors/workflow-error.ts';
import type { InstanceStatus } from '../store/operations.ts';

/** One step as `status --json` shows it. */
export interface StepDocument {
  readonly path: string;
  readonly id: string;
  readonly type: StepType | null;
  readonly status: StepStatus;
  readonly attempts: number;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly outputs: Json;
  readonly error: ErrorDocument | null;
}

/** What `run --json` and `status <id> --json` print (DESIGN section 7). */
export interface StatusDocument {
  readonly id: string;
  readonly workflow: string;
  readonly version: string;
  readonly status: InstanceStatus;
  readonly reason: string | null;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly created_at: string;
  readonly workspace: string;
  readonly inputs: JsonObject;
  readonly steps: readonly StepDocument[];
  readonly context: JsonObject;
  readonly isolation: {
    readonly backend: BackendName;
    readonly enforced: readonly LimitName[];
    readonly observed: readonly LimitName[];
  } | null;
  readonly limits: {
    readonly max_memory_mb: number;
    readonly max_cpu_percent: number;
    readonly max_processes: number;
  };
  readonly usage: {
    readonly peak_memory_bytes: number;
    readonly cpu_seconds: number;
    readonly processes_peak: number;
  } | null;
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
  readonly status: InstanceStatus;
  readonly reason: string | null;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
}

export interface WorkflowSummary {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly source: 'workspace' | 'user' | 'registered';
  readonly file: string;
  readonly is_valid: boolean;
  readonly problems: readonly Problem[];
}

export interface SupervisorStatus {
  readonly pid: number;
  readonly version: string;
  readonly home: string;
  readonly started_at: string;
  readonly isolation: {
    backend: BackendName;
    enforced: readonly LimitName[];
    observed: readonly LimitName[];
  };
  readonly missing: readonly string[];
  readonly instances: Readonly<Record<string, number>>;
  readonly queue: readonly { id: string; waits_for: string }[];
  readonly memory_bytes: number;
  readonly store_pending: number;
}

/** Where a command was called from; names are looked up from there. */
export interface Caller {
  readonly workspace: string;
  readonly userHome: string;
  /** `XDG_CONFIG_HOME`, else `~/.config`. */
  readonly configHome: string;
  readonly person: string;
}

export interface RunRequest {
  /** A name, or the absolute path of a file. */
  readonly target: string;
  readonly caller: Caller;
  /** Declared inputs by name; a text is read after the declared type. */
  readonly inputs: JsonObject;
  readonly context: JsonObject;
  /** The caller's environment, by allow-list; steps inherit it. */
  readonly env: Readonly<Record<string, string>>;
}

/** Method → [parameters, result]. */
export interface ControlMethods {
  'supervisor.status': [Record<string, never>, SupervisorStatus];
  /** Answers when the supervisor is about to leave. `instances`: let them go on, or stop them first. */
  'supervisor.stop': [{ instances: 'leave' | 'stop' }, { pid: number }];
  'workflow.run': [RunRequest, { id: string; notices: string[]; problems: readonly Problem[] }];
  'workflow.list': [{ caller: Caller }, readonly WorkflowSummary[]];
  'workflow.show': [{ target: string; caller: Caller }, WorkflowSummary & { definition: Json }];
  'workflow.register': [
    { file: string; caller: Caller },
    { name: string; version: string; problems: readonly Problem[] },
  ];
  'workflow.unregister': [{ name: string; caller: Caller }, { name: string }];
  'instance.list': [{ isLiveOnly: boolean; limit: number }, readonly InstanceSummary[]];
  'instance.status': [{ id: string }, StatusDocument];
  /** Answers the state now; notifications follow until the instance has ended or the connection closes. */
  'instance.watch': [{ id: string }, StatusDocument];
  'instance.stop': [
    { id: string; isForced: boolean; caller: Caller },
    { id: string; status: InstanceStatus },
  ];
  'instance.resume': [
    { id: string; from: string | null; pins: 'check' | 'pinned' | 'current'; caller: Caller },
    { id: string; notices: string[] },
  ];
  'instance.logs': [{ id: string }, { id: string; folder: string; hasEnded: boolean }];
}

export type ControlMethod = keyof ControlMethods;

export type ControlNotification =
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

/** Variables of the caller's environment that steps inherit; everything else stays behind. */
export const INHERITED_VARIABLES = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'TMPDIR',
  'SHELL',
];
