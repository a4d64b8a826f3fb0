/** The people's methods about the supervisor itself; a part of control.ts. */
import type { BackendName, LimitName } from '../../sandbox/isolation.ts';
import type { LatchDocument } from './guard-documents.ts';
import type { FireDocument } from './schedule-control.ts';
import type { ServiceFacts } from './service.ts';

export interface SupervisorStatus {
  readonly pid: number;
  readonly version: string;
  readonly home: string;
  readonly started_at: string;
  /** By a clock that nobody sets. */
  readonly uptime_seconds: number;
  readonly isolation: {
    backend: BackendName;
    enforced: readonly LimitName[];
    observed: readonly LimitName[];
  };
  readonly missing: readonly string[];
  readonly instances: Readonly<Record<string, number>>;
  /** How many of them an earlier supervisor left running and have not come back yet. */
  readonly instances_awaited: number;
  /** In the order in which they get their turn. */
  readonly queue: readonly { id: string; workflow: string; priority: number; waits_for: string }[];
  /** What may be promised to instances, and what is. CPU in percent of one core. */
  readonly capacity: {
    readonly memory_bytes: number;
    readonly memory_promised_bytes: number;
    readonly cpu_percent: number;
    readonly cpu_promised_percent: number;
  };
  /** The next five. */
  readonly next_fires: readonly (FireDocument & { readonly workflow: string })[];
  readonly memory_bytes: number;
  readonly store_pending: number;
  /** From the call of a write to its durable answer, over the last minutes; null when nothing was written. */
  readonly store_latency: {
    readonly p50_ms: number;
    readonly p99_ms: number;
    readonly samples: number;
    readonly window_seconds: number;
  } | null;
  /** How late timers came, over the last minutes. */
  readonly loop_delay: { readonly p99_ms: number; readonly max_ms: number };
  readonly disk: {
    readonly free_bytes: number;
    readonly total_bytes: number;
    readonly reserve_bytes: number;
  } | null;
  /** What waits for a person; null when the database does not say (`problems` has why). */
  readonly approvals: { readonly pending: number; readonly oldest: string | null } | null;
  readonly kill_switches: readonly LatchDocument[];
  readonly notifications: NotificationsDocument;
  /** What is wrong with the person's configuration, which is not used then, or with the database. */
  readonly problems: readonly string[];
  /**
   * The audit log: its id, the public key that its checkpoints are signed by, and where they are anchored; null when the
   * database does not say.
   */
  readonly audit: { readonly log: string; readonly key: string; readonly anchor: string } | null;
  /** Whose policy files count for its runs. */
  readonly environment: string;
  /** Its `XDG_CONFIG_HOME`, where the policies of its runs' user are; null: `.config` in the home of each run's user. */
  readonly config_home: string | null;
  /** The service manager that started it; null when a person or a command did. */
  readonly service: ServiceFacts | null;
}

export interface NotificationsDocument {
  readonly targets: readonly string[];
  /** Deliveries that are under way or will be tried again. */
  readonly pending: number;
  /** Since the supervisor started. */
  readonly delivered: number;
  readonly failed: number;
}

/** Method → [parameters, result]. */
export interface SupervisorMethods {
  'supervisor.status': [Record<string, never>, SupervisorStatus];
  /** Answered at once, whatever else is under way. */
  'supervisor.ping': [Record<string, never>, null];
  /** In the text format of Prometheus. */
  'supervisor.metrics': [Record<string, never>, { text: string }];
  /** Answers when the supervisor is about to leave. `instances`: let them go on, or stop them first. */
  'supervisor.stop': [{ instances: 'leave' | 'stop' }, { pid: number }];
}
