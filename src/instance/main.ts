/**
 * The process of one instance. It is started by the supervisor with its bootstrap on descriptor 3, runs the
 * workflow's engine and its steps, and ends. Exit status: 0 ended or waiting, 75 no supervisor for too long,
 * 76 fenced, 70 a bug.
 */
import { readFileSync } from 'node:fs';
import { reopenScope } from '../../sandbox/reopen.ts';
import { createEngine } from '../engine/engine.ts';
import type { RunEvent } from '../engine/events.ts';
import { EXIT } from '../errors/table.ts';
import { BOOTSTRAP_FD, type Bootstrap } from '../protocol/instance-link.ts';
import { createAttempts } from './attempts.ts';
import { createDriver } from './driver.ts';
import { loadEvaluator } from './evaluator.ts';
import { openLink, type SupervisorLink } from './supervisor-link.ts';

const EXIT_ORPHANED = 75;
const EXIT_FENCED = 76;

async function main(): Promise<number> {
  // Our supervisor wrote it; a supervisor that died in the middle leaves half a document, and we end.
  const bootstrap = JSON.parse(readFileSync(BOOTSTRAP_FD, 'utf8')) as Bootstrap;
  const { limits } = bootstrap.workflow;
  const scope = reopenScope(bootstrap.scope, {
    memoryBytes: limits.maxMemoryMb * 1024 * 1024,
    cpuPercent: limits.maxCpuPercent,
    processes: limits.maxProcesses,
  });
  if (scope === null) throw new Error('the scope of this instance is gone');
  const engine = createEngine(bootstrap.workflow, { evaluator: await loadEvaluator(bootstrap.workflow) });
  let link: SupervisorLink | null = null;
  const observe = (event: RunEvent): void => {
    engine.apply(event);
    link?.append([event]);
  };
  const attempts = createAttempts(bootstrap, scope, observe);
  const leave = (status: number): void => {
    void driver.abandon().finally(() => process.exit(status));
  };
  link = openLink(bootstrap, {
    stop: (kind, by) => driver.stop(kind, by),
    fenced: () => leave(EXIT_FENCED),
    orphaned: () => leave(EXIT_ORPHANED),
  });
  const driver = createDriver(bootstrap, engine, attempts, link);
  const deadline = setTimeout(
    () => driver.stop('time_limit', `max_execution_time ${limits.maxExecutionTimeMs / 1000} s`),
    Math.min(2 ** 31 - 1, bootstrap.remainingMs),
  );
  await driver.run();
  clearTimeout(deadline);
  link.close();
  scope.close();
  return EXIT.COMPLETED;
}

// SIGTERM reaches every process of a scope that is being ended; the end of this one is decided by the supervisor.
process.on('SIGTERM', () => process.exit(128 + 15));

// Not awaited at the top: in a build this file is CommonJS.
main().then(
  // Timers of retries that no longer matter would keep the process: everything is committed, so it leaves now.
  (status) => process.exit(status),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(EXIT.BUG);
  },
);
