import { hasEnded } from '../store/operations.ts';
import type { SupervisorContext } from './context.ts';
import type { ExitFacts } from './exit-verdict.ts';
import { lastWords, readHostLog } from './host-log.ts';
import type { LiveInstance } from './live-instance.ts';

/** Collects what is known when the process of an instance is gone; its scope must still be there. */
export function exitFacts(context: SupervisorContext, live: LiveInstance): ExitFacts {
  const usage = live.scope?.usage();
  const run = live.projection.view();
  const said = hostLog(context, live);
  const byKernel =
    (live.scope?.ownOomKills() ?? 0) > 0 && (live.exit === null || live.exit.signal === 'SIGKILL');
  const breach = live.observedBreach;
  return {
    hasEnded: hasEnded(live.row.status),
    isWaiting: live.row.status === 'waiting',
    endRequest: live.endRequest,
    exit: live.exit,
    isOutOfMemory: byKernel && live.endRequest === null,
    isHeapExhausted: live.exit?.code !== 0 && said.includes('heap out of memory'),
    lastWords: lastWords(said),
    isRefusedProcesses: !live.hasReported && (usage?.forksRefused ?? 0) > 0,
    processLimit: live.row.limits.processes,
    memoryLimitBytes: live.row.limits.memoryBytes,
    memoryPeakBytes: Math.max(usage?.memoryPeakBytes ?? 0, breach?.limit === 'memory' ? breach.seen : 0),
    breach,
    executionLimitMs: live.row.limits.executionMs,
    fruitless: live.row.fruitless,
    runningSteps: run.steps.filter((step) => step.status === 'running').map((step) => step.path),
    chance: Math.random(),
    startFailure: live.endRequest?.kind === 'start_failed' ? live.endRequest.by : null,
  };
}

function hostLog({ home, log }: SupervisorContext, { row, incarnation }: LiveInstance): string {
  try {
    return readHostLog(home, row.id, incarnation);
  } catch (error) {
    log.warn('the log of an instance process could not be read', { instance: row.id, cause: String(error) });
    return '';
  }
}
