import { hasEnded } from '../../store/tables/instance-rows.ts';
import type { SupervisorContext } from '../context.ts';
import type { ExitFacts } from './exit-verdict.ts';
import { lastWords, readHostLog } from './host-log.ts';
import type { LiveInstance } from './live-instance.ts';

/**
 * So many starts in a row may be lost with the supervisors that made them. Beyond, they count as the run's own crashes:
 * one that takes the supervisor down each time must end some day.
 */
const MAX_LOST_STARTS = 20;

/** Collects what is known when the process of an instance is gone; its scope must still be there. */
export async function exitFacts(context: SupervisorContext, live: LiveInstance): Promise<ExitFacts> {
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
    fruitless: live.row.fruitless - (await lostStarts(context, live)),
    runningSteps: run.steps.filter((step) => step.status === 'running').map((step) => step.path),
    chance: Math.random(),
    startFailure: live.endRequest?.kind === 'start_failed' ? live.endRequest.by : null,
  };
}

/** 1 for an incarnation that an earlier supervisor began and of which nobody ever heard, else 0. */
async function lostStarts({ store }: SupervisorContext, live: LiveInstance): Promise<0 | 1> {
  if (live.exit !== null || live.hasReported || live.endRequest !== null || live.row.fruitless === 0)
    return 0;
  const unheard = await store.call('journal.unheard', { id: live.row.id });
  return unheard >= 1 && unheard <= MAX_LOST_STARTS ? 1 : 0;
}

function hostLog({ home, log }: SupervisorContext, { row, incarnation }: LiveInstance): string {
  try {
    return readHostLog(home, row.id, incarnation);
  } catch (error) {
    log.warn('the log of an instance process could not be read', { instance: row.id, cause: String(error) });
    return '';
  }
}
