import type { Server } from 'node:http';
import { ensureError } from '../../errors/workflow-error.ts';
import type { SupervisorContext } from '../context.ts';
import type { ControlHandlers } from '../control-server.ts';
import { metricsAddress } from '../metrics/metrics-address.ts';
import type { Otlp } from '../metrics/otlp.ts';
import { otlpConfig } from '../metrics/otlp-config.ts';
import { prometheusText } from '../metrics/prometheus-text.ts';
import { createRecordMetrics } from '../metrics/record-metrics.ts';
import type { Family } from '../metrics/registry.ts';
import { statusMetrics } from '../metrics/status-metrics.ts';
import { createNotifier } from '../notify/notifier.ts';
import { type StatusParts, supervisorStatus, vitalStatus } from './supervisor-status.ts';

/** All by which the supervisor is watched from outside: status, metrics, traces, notifications. */
export interface Watching {
  readonly methods: Pick<ControlHandlers, 'supervisor.status' | 'supervisor.metrics'>;
  /** Begins to tell people and to serve metrics. Never rejects. */
  start(): Promise<void>;
  /** Reads who is to be told anew. */
  reload(): void;
  close(): Promise<void>;
}

export type WatchingParts = Omit<StatusParts, 'notifications' | 'problems'> & {
  /** What is wrong elsewhere, each in a line. */
  readonly moreProblems: () => readonly string[];
};

/** Throws USAGE for an address of metrics that is none of this machine. */
export function openWatching(
  context: SupervisorContext,
  { moreProblems, ...parts }: WatchingParts,
  env: NodeJS.ProcessEnv,
): Watching {
  const { log, now } = context;
  const { fleet, vitals } = parts;
  const address = metricsAddress(env);
  const { config, problem: otlpProblem } = otlpConfig(env);
  let listenProblem: string | null = null;
  let server: Server | null = null;
  let otlp: Otlp | null = null;

  const findRun = (id: string): { workflow: string; createdAt: number } | null => fleet.find(id)?.row ?? null;
  const metrics = createRecordMetrics(findRun);
  const notifier = createNotifier(context, env, (outcome) => metrics.notified(outcome));
  const all: StatusParts = {
    ...parts,
    notifications: () => notifier.document(),
    problems: () => [
      ...moreProblems(),
      ...[notifier.problem, otlpProblem, listenProblem].filter((each) => each !== null),
    ],
  };
  const families = async (): Promise<Family[]> => [
    ...statusMetrics(await vitalStatus(context, all), fleet.ledger.queueLength),
    ...metrics.families(),
  ];
  const text = async (): Promise<string> => prometheusText(await families());

  vitals.listen(() => (written, ms) => {
    if (written === null) return;
    metrics.committed(ms / 1000);
    metrics.count(written);
    otlp?.take(written);
  });
  vitals.listen(notifier.watcher);

  return {
    methods: {
      'supervisor.status': () => supervisorStatus(context, all),
      'supervisor.metrics': async () => ({ text: await text() }),
    },
    start: async () => {
      await notifier.start();
      if (otlpProblem !== null) log.error('OpenTelemetry is not as asked for', { problem: otlpProblem });
      if (config !== null) {
        const { openOtlp } = await import('../metrics/otlp.ts');
        otlp = openOtlp(config, { families, findRun, startedAt: context.startedAt, now, log });
      }
      if (address === null) return;
      try {
        const { serveMetrics } = await import('../metrics/listener.ts');
        server = await serveMetrics(address, text);
      } catch (error) {
        // It is no reason to run nothing.
        listenProblem = `metrics are not served: ${ensureError(error).message}`;
        log.error(listenProblem);
      }
    },
    reload: () => notifier.reload(),
    close: async () => {
      server?.close();
      server?.closeAllConnections();
      await Promise.all([notifier.close(), otlp?.close()]);
      vitals.close();
    },
  };
}
