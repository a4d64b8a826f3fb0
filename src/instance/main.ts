/**
 * The process of one instance. It is started by the supervisor with its bootstrap on descriptor 3, runs the
 * workflow's engine and its steps, and ends. Exit status: 0 ended or waiting, 75 no supervisor for too long,
 * 76 fenced, 70 a bug.
 */
import { readFileSync } from 'node:fs';
import { closeInherited } from '../../sandbox/inherited.ts';
import { reopenScope } from '../../sandbox/reopen.ts';
import { createEngine } from '../engine/engine.ts';
import type { RunEvent } from '../engine/events.ts';
import { EXIT } from '../errors/table.ts';
import { BOOTSTRAP_FD, type Bootstrap, beatOf } from '../protocol/instance-link.ts';
import { startTimer } from '../skills/waits.ts';
import { createAttempts } from './attempts.ts';
import { externalise, sweepBlobs } from './blobs.ts';
import { createDecisions } from './decisions.ts';
import { createDriver } from './driver.ts';
import { loadEvaluator } from './evaluator.ts';
import { type Journal, openJournal } from './journal.ts';
import { createLeave, type Leave } from './leave.ts';
import { openLink } from './supervisor-link.ts';

const EXIT_ORPHANED = 75;
const EXIT_FENCED = 76;

async function main(): Promise<number> {
  // Our supervisor wrote it; a supervisor that died in the middle leaves half a document, and we end.
  const bootstrap = JSON.parse(readFileSync(BOOTSTRAP_FD, 'utf8')) as Bootstrap;
  closeInherited();
  if (bootstrap.incarnation > 1) sweepBlobs(bootstrap.folder);
  const { limits } = bootstrap.workflow;
  const scope = reopenScope(bootstrap.scope, {
    memoryBytes: limits.maxMemoryMb * 1024 * 1024,
    cpuPercent: limits.maxCpuPercent,
    processes: limits.maxProcesses,
  });
  if (scope === null) throw new Error('the scope of this instance is gone');
  const engine = createEngine(bootstrap.workflow, { evaluator: await loadEvaluator(bootstrap.workflow) });
  let journal: Journal | null = null;
  let leave: Leave | null = null;
  const observe = (event: RunEvent): void => {
    engine.apply(event);
    journal?.append([event]);
  };
  const decisions = createDecisions(
    bootstrap.approvals.filter(({ isDecided }) => isDecided).map(({ number }) => number),
  );
  const attempts = createAttempts(bootstrap, scope, {
    observe,
    decisions,
    ask: async (request, signal) => (await leave?.ask(request, signal)) ?? null,
    tell: (report) => link.network(report),
    progress: (path, line) => link.progress(path, line),
  });
  const quit = (status: number): void => {
    void driver.abandon().finally(() => process.exit(status));
  };
  const link = openLink(
    { ...bootstrap, beatMs: beatOf(limits.maxCpuPercent) },
    {
      stop: (kind, by) => driver.stop(kind, by),
      released: (approval) => {
        decisions.mark(approval);
        driver.release(approval);
      },
      tripped: (trip) => driver.trip(trip),
      fenced: () => quit(EXIT_FENCED),
      orphaned: () => quit(EXIT_ORPHANED),
    },
  );
  journal = openJournal({
    pack: (event) => externalise(bootstrap.folder, event),
    link,
    say: (line) => process.stderr.write(line),
    failed: giveUp,
  });
  leave = createLeave(bootstrap, journal);
  const driver = createDriver(bootstrap, engine, attempts, journal, leave);
  const callOffDeadline = startTimer(bootstrap.remainingMs, () => {
    const seconds = limits.maxExecutionTimeMs / 1000;
    observe({ type: 'limit.hit', path: null, limit: 'time', allowed: seconds, peak: seconds });
    driver.stop('time_limit', `max_execution_time ${seconds} s`);
  });
  await driver.run();
  callOffDeadline();
  const bytes = scope.io();
  if (bytes !== null) link.io(bytes);
  link.close();
  scope.close();
  return EXIT.COMPLETED;
}

// The log of this process may lie on a full disk: what it does not take is lost, and the run goes on.
process.stderr.on('error', () => undefined);

// SIGTERM reaches every process of a scope that is being ended; the end of this one is decided by the supervisor.
process.on('SIGTERM', () => process.exit(128 + 15));

// Not awaited at the top: in a build this file is CommonJS.
main().then(
  // Timers of retries that no longer matter would keep the process: everything is committed, so it leaves now.
  (status) => process.exit(status),
  giveUp,
);

function giveUp(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(EXIT.BUG);
}
