import { type AuditEntry, SUPERVISOR } from '../audit/record.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { failpoint } from '../protocol/failpoint.ts';
import { instanceFolder } from '../protocol/home.ts';
import type { Bootstrap } from '../protocol/instance-link.ts';
import { hasEnded, type InstanceRow } from '../store/operations.ts';
import type { SupervisorContext } from './context.ts';
import { judgeExit, type Verdict } from './exit-verdict.ts';
import { lastWords, readHostLog } from './host-log.ts';
import { createToken, launchInstance, makeInstanceFolder } from './launch.ts';
import {
  type EndRequest,
  followJournal,
  type LiveInstance,
  measureUsage,
  setStatus,
} from './live-instance.ts';
import { parsePins } from './pins.ts';
import { watchProcess } from './process-watch.ts';

/** A started process that does not report in this time is killed and counted as a fruitless start. */
const START_DEADLINE_MS = 30_000;
/** An adopted process that does not come back in this time is taken for hung. */
const RECONNECT_DEADLINE_MS = 15_000;
/** The instance ends itself at its time limit; the supervisor steps in this much later. */
const TIME_LIMIT_SLACK_MS = 5_000;
const ORPHAN_TIMEOUT_MS = 600_000;
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface IncarnationHandlers {
  /** The process is gone, its scope is empty and removed, everything is committed. */
  over(live: LiveInstance, verdict: Verdict): void;
}

/** One process of an instance after the other: start it, watch it, judge and record its end. */
export interface Incarnations {
  start(live: LiveInstance, cause: Bootstrap['cause']): Promise<void>;
  /** Takes over the process of an earlier supervisor, alive or not. */
  adopt(live: LiveInstance): void;
  /** Ends the whole tree at once; the verdict follows from `request`. */
  end(live: LiveInstance, request: EndRequest): Promise<void>;
  /** Watch no more; the processes stay. */
  close(): void;
}

export function createIncarnations(context: SupervisorContext, handlers: IncarnationHandlers): Incarnations {
  const { store, home, isolation, log } = context;
  let isClosed = false;

  const start: Incarnations['start'] = async (live, cause) => {
    const { id, limits } = live.row;
    const incarnation = live.incarnation + 1;
    Object.assign(live, {
      lifetime: new AbortController(),
      exit: null,
      endRequest: null,
      hasReported: false,
    });
    live.silence = () => Promise.resolve();
    let childExit: Promise<void> = Promise.resolve();
    try {
      makeInstanceFolder(home, id);
      const scope = isolation.openScope(`${id}.${incarnation}`, limits);
      live.scope = scope;
      const { token, hash } = createToken();
      await store.call('instance.launch', {
        id,
        incarnation,
        tokenHash: hash,
        scope: scope.record,
        isolation: isolation.report,
        at: context.now(),
        audit: record(id, 'instance.launched', { incarnation, cause, backend: isolation.report.backend }),
      });
      failpoint('supervisor.launch_committed');
      Object.assign(live, { incarnation, tokenHash: hash });
      setStatus(live, 'initializing', null);
      const boot = await bootstrap(live, token, cause);
      if (live.endRequest === null) {
        const launched = launchInstance(home, scope, limits.memoryBytes, boot);
        live.process = launched.identity;
        failpoint('supervisor.spawned');
        childExit = new Promise((resolve) => {
          launched.child.once('exit', (code, signal) => {
            live.exit = { code, signal };
            resolve();
          });
        });
        await store.call('instance.process', {
          id,
          incarnation,
          process: launched.identity,
          audit: record(id, 'instance.process', { incarnation, pid: launched.identity.pid }),
        });
      }
    } catch (error) {
      log.error('an instance could not be started', { instance: id, cause: String(error) });
      live.endRequest ??= {
        kind: 'start_failed',
        by: String(error instanceof Error ? error.message : error),
      };
      await live.scope?.kill({ graceMs: 0, timeoutMs: 5000 });
    }
    attend(live, childExit, START_DEADLINE_MS);
  };

  const bootstrap = async (
    live: LiveInstance,
    token: string,
    cause: Bootstrap['cause'],
  ): Promise<Bootstrap> => {
    const [row, journal] = await Promise.all([
      readRow(live.row.id),
      store.call('journal.read', { id: live.row.id, afterSeq: 0 }),
    ]);
    live.row = row;
    const isReopened = journal.at(-1)?.event.type === 'run.ended';
    const pins = await store.call('document.get', { hash: row.pinsHash });
    if (pins === null || live.scope === null)
      throw new WorkflowError('INTERNAL', `the pinned definition of ${row.id} is missing`);
    return {
      instance: row.id,
      incarnation: live.incarnation,
      token,
      socket: home.instanceSocket,
      folder: instanceFolder(home, row.id),
      secretsFolder: home.secretsFolder,
      workspace: row.workspace,
      ...parsePins(pins),
      inputs: row.inputs,
      context: row.context,
      journal,
      scope: live.scope.record,
      env: row.env,
      remainingMs: Math.max(0, row.limits.executionMs - row.activeMs),
      // A journal that ends was opened again by a person, whatever happened to the processes since.
      cause:
        journal.length === 0 ? 'start' : isReopened ? 'requested' : cause === 'requested' ? 'crash' : cause,
      from: isReopened ? row.resumeFrom : null,
      orphanTimeoutMs: ORPHAN_TIMEOUT_MS,
    };
  };

  /** Watches a process, with its deadlines, until it is gone. */
  const attend = (live: LiveInstance, childExit: Promise<void> | null, reportDeadlineMs: number): void => {
    const { signal } = live.lifetime;
    const later = (ms: number, act: () => void): void => {
      const timer = setTimeout(act, Math.min(MAX_TIMER_MS, Math.max(0, ms)));
      timer.unref();
      signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    };
    const { limits, activeMs, activeSince } = live.row;
    later(reportDeadlineMs, () => {
      if (live.link === null) void end(live, { kind: 'start_failed', by: 'it did not report in time' });
    });
    const spent = activeMs + (activeSince === null ? 0 : context.now() - activeSince);
    later(limits.executionMs - spent + TIME_LIMIT_SLACK_MS, () => {
      void end(live, { kind: 'time_limit', by: 'supervisor' });
    });
    const off = live.scope?.onBreach((breach) => {
      log.warn('an observed limit was passed', { instance: live.row.id, ...breach });
      if (breach.limit === 'memory') live.observedBreach = breach;
      void end(live, { kind: 'limit', by: breach.limit });
    });
    void watchProcess(live, childExit, signal).then(() => {
      off?.();
      return exited(live);
    });
  };

  const end: Incarnations['end'] = async (live, request) => {
    live.endRequest ??= request;
    const report = await live.scope?.kill({ graceMs: 0, timeoutMs: 10_000 });
    if (report !== undefined && report.survivors.length > 0)
      log.error('processes survived the kill', { instance: live.row.id, survivors: report.survivors });
  };

  const exited = async (live: LiveInstance): Promise<void> => {
    const { id } = live.row;
    const { incarnation } = live;
    if (isClosed) return;
    try {
      live.lifetime.abort();
      // The steps of a dead instance are nobody's any more; nothing is resumed before the scope is empty.
      await live.scope?.kill({ graceMs: 0, timeoutMs: 10_000 });
      await live.silence();
      const usage = measureUsage(live);
      live.row = await readRow(id);
      const verdict = judgeExit(factsOf(live));
      if (verdict.kind === 'close') await closeJournal(live, verdict.event);
      failpoint('supervisor.before_exit_record');
      await store.call('instance.exited', {
        id,
        incarnation,
        usage,
        at: context.now(),
        audit: record(id, 'instance.exited', { incarnation, exit: live.exit, verdict: verdict.kind, usage }),
      });
      failpoint('supervisor.after_exit_record');
      await live.scope?.remove();
      Object.assign(live, { scope: null, process: null, row: await readRow(id) });
      handlers.over(live, verdict);
    } catch (error) {
      if (isClosed) return;
      log.error('the end of an instance could not be recorded, trying again in 1 s', {
        instance: id,
        cause: String(error),
      });
      setTimeout(() => void exited(live), 1000);
    }
  };

  const closeJournal = async (live: LiveInstance, event: Extract<Verdict, { kind: 'close' }>['event']) => {
    const { entries } = await store.call('journal.close', {
      id: live.row.id,
      incarnation: live.incarnation,
      events: [event],
      at: context.now(),
    });
    for (const entry of entries) followJournal(live, entry);
  };

  const factsOf = (live: LiveInstance): Parameters<typeof judgeExit>[0] => {
    const usage = live.scope?.usage();
    const run = live.projection.view();
    const said = hostLog(live);
    const byKernel =
      (live.scope?.ownOomKills() ?? 0) > 0 && (live.exit === null || live.exit.signal === 'SIGKILL');
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
      memoryPeakBytes: Math.max(usage?.memoryPeakBytes ?? 0, live.observedBreach?.seen ?? 0),
      executionLimitMs: live.row.limits.executionMs,
      fruitless: live.row.fruitless,
      runningSteps: run.steps.filter((step) => step.status === 'running').map((step) => step.path),
      startFailure: live.endRequest?.kind === 'start_failed' ? live.endRequest.by : null,
    };
  };

  const hostLog = ({ row, incarnation }: LiveInstance): string => {
    try {
      return readHostLog(home, row.id, incarnation);
    } catch (error) {
      log.warn('the log of an instance process could not be read', {
        instance: row.id,
        cause: String(error),
      });
      return '';
    }
  };

  const readRow = async (id: string): Promise<InstanceRow> => {
    const row = await store.call('instance.get', { id });
    if (row === null) throw new WorkflowError('INTERNAL', `the row of instance ${id} is missing`);
    return row;
  };

  const record = (instance: string, type: string, data: Record<string, unknown>): AuditEntry => ({
    type,
    at: context.now(),
    actor: SUPERVISOR,
    instance,
    data,
  });

  return {
    start,
    adopt: (live) => {
      failpoint('supervisor.adopting');
      live.lifetime = new AbortController();
      live.scope = live.row.scope === null ? null : isolation.reopenScope(live.row.scope);
      attend(live, null, RECONNECT_DEADLINE_MS);
    },
    end,
    close: () => {
      isClosed = true;
    },
  };
}
