/**
 * usage: node supervisor/main.cjs [--isolation auto|cgroup|polling] [--ready-fd N]
 * The daemon. With --ready-fd it writes one JSON line there: {"ready": pid} or {"error": record}.
 */
import { closeSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT } from '../errors/table.ts';
import { ensureWorkflowError, systemCode, WorkflowError } from '../errors/workflow-error.ts';
import { DAEMON_ENVIRONMENT } from '../protocol/daemon-command.ts';
import { locateHome, prepareHome } from '../protocol/home.ts';
import { packageRoot } from '../protocol/install.ts';
import {
  ISOLATION_REQUESTS,
  type IsolationRequest,
  isIsolationRequest,
} from '../protocol/isolation-request.ts';
import { takeLock } from '../protocol/lock.ts';
import { type InstanceDoor, openInstanceDoor } from './intake/instance-door.ts';

async function main(): Promise<void> {
  // Meant for this process alone, and taken by it when it was executed.
  for (const name of Object.keys(DAEMON_ENVIRONMENT)) delete process.env[name];
  const { values } = parseArgs({
    options: {
      isolation: { type: 'string', default: process.env['Q_WORKFLOW_ISOLATION'] || 'auto' },
      'ready-fd': { type: 'string' },
    },
  });
  const readyFd = values['ready-fd'] === undefined ? null : Number(values['ready-fd']);
  const report = (message: object): void => {
    if (readyFd === null) return;
    try {
      writeSync(readyFd, `${JSON.stringify(message)}\n`);
      closeSync(readyFd);
    } catch (error) {
      // Who started us has gone; we stay.
      if (systemCode(error) !== 'EPIPE' && systemCode(error) !== 'EBADF') throw error;
    }
  };
  // Policies are read when somebody asks; until then there is nothing to reload, and nothing to die of.
  process.on('SIGHUP', () => undefined);
  let door: Promise<InstanceDoor> | null = null;
  try {
    const isolation = isolationAsked(values.isolation);
    const home = locateHome();
    prepareHome(home);
    // First the lock: of many that start at once, all but one leave before they load anything large.
    const lock = takeLock(home.lockFile);
    if (lock === null)
      throw new WorkflowError('SUPERVISOR_RUNNING', `another supervisor holds ${home.lockFile}`);
    door = openInstanceDoor(home.instanceSocket);
    // Whoever waits for it hears of its failure.
    door.catch(() => undefined);
    const { openDatabase } = await import('./open-database.ts');
    const database = openDatabase(home);
    database.catch(() => undefined);
    const [{ startSupervisor }, { serviceOf, stopSettings }, { journalDescriptor }, { serve }] =
      await Promise.all([
        import('./supervisor.ts'),
        import('./watching/service-facts.ts'),
        import('./intake/journal-log.ts'),
        import('./serve.ts'),
      ]);
    const { onStop, drainMs } = stopSettings(process.env);
    const journal = journalDescriptor(process.env);
    const supervisor = await startSupervisor({
      home,
      lock,
      database,
      door,
      version: packageVersion(),
      isolation,
      journal,
      service: serviceOf(process.env, process.pid),
      drainMs,
    });
    const served = serve(supervisor, onStop);
    report({ ready: process.pid });
    // The journal is told in the log.
    if (readyFd === null && journal === null)
      process.stderr.write(`supervisor ready, pid ${process.pid}, home ${home.folder}\n`);
    const loss = await served;
    if (loss !== null) throw loss;
    process.exit(EXIT.COMPLETED);
  } catch (error) {
    const known = ensureWorkflowError(error);
    const opened = await door?.catch(() => null);
    opened?.close();
    report({ error: known.toRecord() });
    process.stderr.write(`q workflow supervisor: ${known.message}\n  ${known.hint}\n`);
    process.exit(known.exitStatus);
  }
}

function isolationAsked(value: string): IsolationRequest {
  if (isIsolationRequest(value)) return value;
  throw new WorkflowError(
    'USAGE',
    `Q_WORKFLOW_ISOLATION or --isolation is "${value}"; allowed: ${ISOLATION_REQUESTS.join(', ')}`,
    { hint: 'Mend or unset the variable, or give the flag.' },
  );
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : '0.0.0';
}

void main();
