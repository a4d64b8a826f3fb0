import type { AuditEntry } from '../../audit/record.ts';
import { boundedNames, createCounter, createHistogram, type Family } from './registry.ts';

/** Counts what the audit records say, as they are committed. */
export interface RecordMetrics {
  count(records: readonly AuditEntry[]): void;
  committed(seconds: number): void;
  notified(outcome: 'delivered' | 'failed' | 'dropped'): void;
  families(): Family[];
}

/** What is known of a run that a record speaks of; null when it is not live. */
export type FindRun = (id: string) => { readonly workflow: string; readonly createdAt: number } | null;

const RUN_SECONDS = [1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400];
const COMMIT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const UNKNOWN = 'unknown';

/** Types of records of steps, and how each is counted. */
const STEP_OUTCOMES: Readonly<Record<string, string>> = {
  'step.completed': 'completed',
  'step.handled': 'handled',
  'step.failed': 'failed',
  'step.skipped': 'skipped',
  'step.cancelled': 'cancelled',
  'step.interrupted': 'interrupted',
  'step.retrying': 'retried',
};

export function createRecordMetrics(findRun: FindRun): RecordMetrics {
  const name = boundedNames();
  const created = createCounter('q_workflow_runs_created_total', 'Runs that were taken in.');
  const ended = createCounter('q_workflow_runs_ended_total', 'Runs that ended, by how.');
  const took = createHistogram(
    'q_workflow_run_seconds',
    'From the creation of a run to its end, waiting included.',
    RUN_SECONDS,
  );
  const steps = createCounter('q_workflow_steps_total', 'What became of steps.');
  const limits = createCounter('q_workflow_limits_hit_total', 'Limits that were met.');
  const permits = createCounter(
    'q_workflow_permits_total',
    'Decisions on what steps and agents wanted to do.',
  );
  const approvals = createCounter('q_workflow_approvals_total', 'Approvals that were asked for and decided.');
  const kills = createCounter('q_workflow_kill_switches_tripped_total', 'Kill switches that were tripped.');
  const exits = createCounter(
    'q_workflow_instance_exits_total',
    'Ends of instance processes, by what followed.',
  );
  const commits = createHistogram(
    'q_workflow_store_commit_seconds',
    'From the call of a write to its durable answer.',
    COMMIT_SECONDS,
  );
  const notifications = createCounter('q_workflow_notifications_total', 'What became of notifications.');

  const workflowOf = (instance: string | null): string => {
    const run = instance === null ? null : findRun(instance);
    return run === null ? UNKNOWN : name(run.workflow);
  };

  const one = ({ type, instance, data, at }: AuditEntry): void => {
    const outcome = STEP_OUTCOMES[type];
    if (outcome !== undefined) steps.add({ outcome });
    else if (type === 'instance.created') created.add({ workflow: name(text(data['workflow'])) });
    else if (type === 'run.ended') {
      ended.add({ workflow: workflowOf(instance), status: text(data['status']) });
      const run = instance === null ? null : findRun(instance);
      // A sum that falls, as by a clock that was set back, is none to Prometheus.
      if (run !== null)
        took.observe(Math.max(0, at - run.createdAt) / 1000, { workflow: name(run.workflow) });
    } else if (type === 'limit.hit')
      limits.add({ workflow: workflowOf(instance), limit: text(data['limit']) });
    else if (type === 'permit.decided')
      permits.add({ kind: text(data['kind']), decision: text(data['decision']) });
    else if (type.startsWith('approval.')) approvals.add({ outcome: type.slice('approval.'.length) });
    else if (type === 'kill.tripped') kills.add();
    else if (type === 'instance.exited') exits.add({ verdict: text(data['verdict']) });
  };

  return {
    count: (records) => {
      for (const record of records) one(record);
    },
    committed: (seconds) => commits.observe(seconds),
    notified: (outcome) => notifications.add({ outcome }),
    families: () =>
      [created, ended, took, steps, limits, permits, approvals, kills, exits, commits, notifications].map(
        (each) => each.family(),
      ),
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : UNKNOWN;
}
