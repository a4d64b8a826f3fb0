import { existsSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { ensureWorkflowError, WorkflowError } from '../errors/workflow-error.ts';
import type { SupervisorStatus } from '../protocol/control.ts';
import { DAEMON_ENVIRONMENT, daemonCommand } from '../protocol/daemon-command.ts';
import { type Home, prepareHome, SYSTEM_HOME } from '../protocol/home.ts';
import type { OnStop } from '../protocol/service.ts';
import type { ServiceManager } from './manager.ts';
import { writeServiceMark } from './service-mark.ts';
import { type ServiceSpec, serviceEnvironment } from './spec.ts';
import { readUnit, writeUnit } from './unit-file.ts';

export interface InstallRequest {
  readonly home: Home;
  readonly manager: ServiceManager;
  readonly env: NodeJS.ProcessEnv;
  readonly onStop: OnStop;
  readonly drainSeconds: number;
  readonly mode: 'do' | 'dry_run';
  /** What the supervisor of the home says of itself; null when none answers. */
  readonly look: () => Promise<SupervisorStatus | null>;
}

/** What `supervisor install` prints. */
export interface InstallDocument {
  readonly manager: ServiceManager['name'];
  readonly scope: ServiceManager['scope'];
  readonly unit: string;
  readonly file: string;
  readonly home: string;
  /** Of the file: `none` when it was there already as it is. */
  readonly change: 'created' | 'replaced' | 'none';
  readonly is_dry_run: boolean;
  /** Of the supervisor that answers; null in a dry run. */
  readonly pid: number | null;
  /** The command that shows the log. */
  readonly log: string;
  readonly notices: readonly string[];
  /** Of the file. */
  readonly text: string;
}

/** A manager that knows nothing of readiness says "started" at once. */
const ANSWER_WAIT_MS = 60_000;
const LOOK_MS = 200;

/**
 * Writes the unit, enables and starts it, and waits until its supervisor answers. The same again changes nothing; a
 * unit that changed is replaced and restarted. Throws SERVICE_UNAVAILABLE, SERVICE_FOREIGN, SERVICE_FAILED, and
 * SUPERVISOR_RUNNING where one that is no service holds the home.
 */
export async function installService(request: InstallRequest): Promise<InstallDocument> {
  const { home, manager, look } = request;
  const version = await versionOf(request);
  const spec = specOf(request, version ?? 0);
  const text = manager.text(spec);
  const before = readUnit(manager.file);
  const change = before === null ? 'created' : before === text ? 'none' : 'replaced';
  const document = (pid: number | null): InstallDocument => ({
    manager: manager.name,
    scope: manager.scope,
    unit: manager.unit,
    file: manager.file,
    home: home.folder,
    change,
    is_dry_run: request.mode === 'dry_run',
    pid,
    log: `${manager.logCommand}${manager.name === 'systemd' ? ' -f -o cat' : ''}`,
    notices: [
      ...(version === null ? [`${manager.name} does not answer here: it could not be installed`] : []),
      ...(spec.canNotify || manager.name === 'launchd' ? [] : [NO_NOTIFY]),
      ...otherState(request),
    ],
    text,
  });
  if (request.mode === 'dry_run') return document(null);
  const running = await look();
  refuseOther(running, manager);
  prepareHome(home);
  if (change !== 'none') writeUnit(manager.file, text);
  const isStale = change === 'replaced' || isOlder(running, manager.file);
  if (change !== 'none' || isStale) await manager.load();
  const { name, scope, unit, file } = manager;
  writeServiceMark(home, { manager: name, scope, unit, file });
  await manager.enable();
  if (isStale && (await manager.isActive())) await manager.restart();
  else await manager.start();
  return document(await answered(manager, look));
}

function specOf({ home, manager, env, onStop, drainSeconds }: InstallRequest, version: number): ServiceSpec {
  const { scope, unit } = manager;
  const environment = serviceEnvironment(env, { scope, unit, home: home.folder, onStop, drainSeconds });
  return {
    scope,
    unit,
    home,
    command: daemonCommand(),
    environment: { ...environment, ...DAEMON_ENVIRONMENT },
    onStop,
    drainSeconds,
    canNotify: manager.name === 'systemd' && isOnPath('systemd-notify', environment['PATH'] ?? ''),
    managerVersion: version,
  };
}

function isOnPath(program: string, path: string): boolean {
  return path.split(delimiter).some((folder) => isAbsolute(folder) && existsSync(join(folder, program)));
}

const NO_NOTIFY =
  'systemd-notify is not on PATH: systemd will not know when it is ready, and has no watchdog';

/** Runs that root has had so far are in another folder, and are no longer what root's commands speak of. */
function otherState({ home, env }: InstallRequest): string[] {
  const usual = join(env['HOME'] || '/root', '.local', 'state', 'q-workflow');
  if (home.folder !== SYSTEM_HOME || !existsSync(join(usual, 'q-workflow.db'))) return [];
  return [`runs so far are in ${usual}: Q_WORKFLOW_HOME=${usual} q workflow status --all shows them`];
}

/** Null when it does not answer and only a plan is wanted. */
async function versionOf({ manager, mode }: InstallRequest): Promise<number | null> {
  try {
    return await manager.version();
  } catch (error) {
    if (mode === 'do' || ensureWorkflowError(error).code !== 'SERVICE_UNAVAILABLE') throw error;
    return null;
  }
}

/** True for a supervisor that began before its unit was written: an install that was cut short did not restart it. */
function isOlder(running: SupervisorStatus | null, file: string): boolean {
  return running !== null && Date.parse(running.started_at) < Math.floor(statSync(file).mtimeMs);
}

function refuseOther(running: SupervisorStatus | null, { unit }: ServiceManager): void {
  if (running === null || running.service?.unit === unit) return;
  const { pid, home, service } = running;
  const who = service === null ? '' : ` as ${service.unit}`;
  throw new WorkflowError('SUPERVISOR_RUNNING', `supervisor ${pid} runs${who} already for ${home}`, {
    hint: 'Run q workflow supervisor stop (its instances go on, the service takes them over), then install again.',
    details: { pid, home },
  });
}

async function answered(manager: ServiceManager, look: InstallRequest['look']): Promise<number> {
  const deadline = performance.now() + ANSWER_WAIT_MS;
  for (;;) {
    const status = await look();
    if (status !== null && status.service?.unit === manager.unit) return status.pid;
    refuseOther(status, manager);
    if (performance.now() > deadline)
      throw new WorkflowError(
        'SERVICE_FAILED',
        `${manager.unit} was started and does not answer after ${ANSWER_WAIT_MS / 1000} s`,
        { hint: `Read its log: ${manager.logCommand}` },
      );
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
