import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type ErrorRecord, WorkflowError } from '../errors/workflow-error.ts';
import { DAEMON_ENVIRONMENT, daemonCommand } from '../protocol/daemon-command.ts';
import { FAILPOINT_VARIABLE } from '../protocol/failpoint.ts';
import { type Home, unusable } from '../protocol/home.ts';
import type { IsolationRequest } from '../protocol/isolation-request.ts';
import { DRAIN_VARIABLE, ENVIRONMENT_VARIABLE, ON_STOP_VARIABLE } from '../protocol/service.ts';
import { UPKEEP_VARIABLES } from '../protocol/upkeep-settings.ts';
import { readServiceMark } from '../service/service-mark.ts';

/** Variables that the daemon takes over from the command that starts it. */
const DAEMON_VARIABLES = [
  'PATH',
  'HOME',
  'XDG_STATE_HOME',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'XDG_RUNTIME_DIR',
  'Q_WORKFLOW_HOME',
  'Q_WORKFLOW_ISOLATION',
  'Q_WORKFLOW_ANCHOR',
  'Q_WORKFLOW_SYSLOG',
  ENVIRONMENT_VARIABLE,
  ON_STOP_VARIABLE,
  DRAIN_VARIABLE,
  'Q_WORKFLOW_METRICS',
  'OTEL_SDK_DISABLED',
  'OTEL_SERVICE_NAME',
  'OTEL_RESOURCE_ATTRIBUTES',
  'OTEL_METRIC_EXPORT_INTERVAL',
  'OTEL_METRICS_EXPORTER',
  'OTEL_TRACES_EXPORTER',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_PROTOCOL',
  'OTEL_EXPORTER_OTLP_METRICS_PROTOCOL',
  'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_EXPORTER_OTLP_TIMEOUT',
  ...UPKEEP_VARIABLES,
  'TZ',
  FAILPOINT_VARIABLE,
];
/** Far more than a start takes (0.3 s), for a machine that does a hundred other things. */
const READY_DEADLINE_MS = 60_000;

/**
 * Starts the supervisor of a home, whose folder is there, in the background and in a session of its own, and waits
 * until it is ready. When another one is ahead of it, that is fine: the caller connects to that one. Throws what the
 * daemon reports.
 */
export async function startSupervisor(home: Home, isolation?: IsolationRequest): Promise<void> {
  const service = readServiceMark(home);
  if (service !== null) {
    // One that we start would hold the lock, and the service could not.
    const { startService } = await import('../service/start.ts');
    await startService(service);
    return;
  }
  const output = openOutput(home);
  const env = Object.fromEntries(
    DAEMON_VARIABLES.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  const [file, ...args] = daemonCommand(['--ready-fd', '3', ...isolationWords(isolation)]);
  const child = spawn(file, args, {
    cwd: '/',
    env: { ...env, ...DAEMON_ENVIRONMENT, Q_WORKFLOW_HOME: home.folder },
    detached: true,
    stdio: ['ignore', output, output, 'pipe'],
  });
  closeSync(output);
  child.unref();
  const message = await readReady(child.stdio[3] as Readable);
  if (message.error === undefined || message.error.code === 'SUPERVISOR_RUNNING') return;
  throw WorkflowError.fromRecord(message.error);
}

/** The words by which the daemon is told; none leaves it to its environment. */
export function isolationWords(isolation: IsolationRequest | undefined): readonly string[] {
  return isolation === undefined ? [] : ['--isolation', isolation];
}

function openOutput(home: Home): number {
  try {
    return openSync(join(home.logFolder, 'supervisor.out'), 'a', 0o600);
  } catch (error) {
    throw unusable(home, error);
  }
}

function readReady(pipe: Readable): Promise<{ ready?: number; error?: ErrorRecord }> {
  return new Promise((resolve, reject) => {
    let text = '';
    const lost = (why: string): void =>
      reject(
        new WorkflowError(
          'SUPERVISOR_UNREACHABLE',
          `the supervisor ${why}; see log/supervisor.out in the state folder`,
        ),
      );
    const timer = setTimeout(
      () => lost(`was not ready after ${READY_DEADLINE_MS / 1000} s`),
      READY_DEADLINE_MS,
    );
    pipe.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
    pipe.on('error', (error) => lost(`could not be heard: ${error.message}`));
    pipe.on('close', () => {
      clearTimeout(timer);
      if (text === '') lost('ended before it was ready');
      else resolve(JSON.parse(text) as { ready?: number; error?: ErrorRecord });
    });
  });
}
