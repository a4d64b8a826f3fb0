import type { KillReport } from '../../../sandbox/isolation.ts';
import { type AuditEntry, SUPERVISOR } from '../../audit/record.ts';
import { writeAbout } from '../../protocol/about.ts';
import { failpoint } from '../../protocol/failpoint.ts';
import { instanceFolder } from '../../protocol/home.ts';
import type { Bootstrap } from '../../protocol/instance-link.ts';
import type { SupervisorContext } from '../context.ts';
import { agentsOf, readPins } from '../definitions/pins.ts';
import { readPoliciesFor } from '../guard/run-policies.ts';
import { networkRecord, planSandbox, shownNetworks } from '../sandboxes/sandbox-plan.ts';
import { sandboxRecord } from '../sandboxes/sandboxes.ts';
import { bootstrap } from './bootstrap.ts';
import { createDeadlines } from './deadlines.ts';
import { exitFacts } from './exit-facts.ts';
import { judgeExit, type Verdict, verdictRecord } from './exit-verdict.ts';
import { createToken, launchInstance, makeInstanceFolder } from './launch.ts';
import {
  activeMsOf,
  type EndRequest,
  followJournal,
  type LiveInstance,
  measureUsage,
  noteEnd,
  setStatus,
} from './live-instance.ts';
import { watchProcess } from './process-watch.ts';
import { readRow } from './read-live.ts';
import { createReturns } from './returns.ts';

/** A started process that does not report in this time is killed and counted as a fruitless start. */
const START_DEADLINE_MS = 30_000;
/** An adopted process that does not come back in this time is taken for hung. */
const RECONNECT_DEADLINE_MS = 15_000;

export interface IncarnationHandlers {
  /** The process is gone, its scope is empty and removed, everything is committed. */
  over(live: LiveInstance, verdict: Verdict): void;
}

/** One process of an instance after the other: start it, watch it, judge and record its end. */
export interface Incarnations {
  start(live: LiveInstance, cause: Bootstrap['cause']): Promise<void>;
  /** Takes over the process of an earlier supervisor, alive or not. */
  adopt(live: LiveInstance): void;
  /** Instances are heard from now on: an adopted one that does not come back in time is taken for hung. */
  expectAdopted(): void;
  /** Its process said who it is. */
  connected(live: LiveInstance): void;
  /** Adopted ones that have not come back yet. */
  readonly awaited: number;
  /** Ends the whole tree at once; the verdict follows from `request`. Rejects when the kernel does not let us. */
  end(live: LiveInstance, request: EndRequest): Promise<KillReport | null>;
  /** The same where nobody waits for it: a failure is logged. Never rejects. */
  endSoon(live: LiveInstance, request: EndRequest): Promise<void>;
  /** Watch no more; the processes stay. */
  close(): void;
}

export function createIncarnations(context: SupervisorContext, handlers: IncarnationHandlers): Incarnations {
  const { store, home, isolation, log } = context;
  const returns = createReturns(log);
  let isClosed = false;
  const deadlines = createDeadlines(context, (live, request) => void endSoon(live, request));

  const start: Incarnations['start'] = async (live, cause) => {
    const { id, limits } = live.row;
    const incarnation = live.incarnation + 1;
    Object.assign(live, {
      lifetime: new AbortController(),
      exit: null,
      endRequest: null,
      hasReported: false,
      observedBreach: null,
      ioAtEnd: null,
    });
    live.silence = () => Promise.resolve();
    let childExit: Promise<void> = Promise.resolve();
    try {
      makeInstanceFolder(home, id);
      const scope = isolation.openScope(`${id}.${incarnation}`, limits);
      live.scope = scope;
      const { token, hash } = createToken();
      const pins = await readPins(store, live.row);
      writeAbout(instanceFolder(home, id), {
        workflow: live.row.workflow,
        agents: agentsOf(pins),
        scope: scope.record,
      });
      const { ground } = await context.sandboxes.offer(live.row.workspace);
      const plan = planSandbox(pins, await readPoliciesFor(context, live, incarnation));
      const sandbox = sandboxRecord(ground, plan.tiers);
      await store.call('instance.launch', {
        id,
        incarnation,
        tokenHash: hash,
        scope: scope.record,
        isolation: { ...isolation.report, ...sandbox, networks: shownNetworks(plan) },
        at: context.now(),
        audit: record(id, 'instance.launched', {
          incarnation,
          cause,
          backend: isolation.report.backend,
          ...sandbox,
          ...networkRecord(plan),
        }),
      });
      failpoint('supervisor.launch_committed');
      Object.assign(live, { incarnation, tokenHash: hash });
      setStatus(live, 'initializing', null);
      const boot = await bootstrap(context, live, { token, cause, pins, plan, ground });
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
      await endSoon(live, {
        kind: 'start_failed',
        by: String(error instanceof Error ? error.message : error),
      });
    }
    deadlines.report(live, START_DEADLINE_MS);
    attend(live, childExit);
  };

  /** Watches a process, with its time limit, until it is gone. */
  const attend = (live: LiveInstance, childExit: Promise<void> | null): void => {
    deadlines.time(live);
    live.rearm = () => deadlines.rearm(live);
    const off = live.scope?.onBreach((breach) => {
      log.warn('an observed limit was passed', { instance: live.row.id, ...breach });
      live.observedBreach ??= breach;
      void endSoon(live, { kind: 'limit', by: breach.limit });
    });
    void watchProcess(live, childExit, live.lifetime.signal).then(() => {
      off?.();
      return exited(live);
    });
  };

  const end: Incarnations['end'] = async (live, request) => {
    noteEnd(live, request);
    const report = (await live.scope?.kill({ graceMs: 0, timeoutMs: 10_000 })) ?? null;
    if (report !== null && report.survivors.length > 0)
      log.error('processes survived the kill', { instance: live.row.id, survivors: report.survivors });
    return report;
  };

  const endSoon: Incarnations['endSoon'] = async (live, request) => {
    try {
      await end(live, request);
    } catch (error) {
      log.error('an instance could not be ended', { instance: live.row.id, cause: String(error) });
    }
  };

  const exited = async (live: LiveInstance): Promise<void> => {
    const { id } = live.row;
    const { incarnation } = live;
    if (isClosed) return;
    try {
      live.lifetime.abort();
      live.pulse = null;
      // The steps of a dead instance are nobody's any more; nothing is resumed before the scope is empty.
      await live.scope?.kill({ graceMs: 0, timeoutMs: 10_000 });
      await live.silence();
      const usage = measureUsage(live);
      live.row = await readRow(store, id);
      const facts = await exitFacts(context, live);
      const verdict = judgeExit(facts);
      if (verdict.kind === 'close') await closeJournal(live, verdict);
      failpoint('supervisor.before_exit_record');
      const data = { incarnation, exit: live.exit, ...verdictRecord(verdict), usage };
      const { fruitless } = facts;
      const at = context.now();
      const activeMs = activeMsOf(live);
      const audit = record(id, 'instance.exited', data);
      await store.call('instance.exited', { id, incarnation, usage, fruitless, activeMs, at, audit });
      failpoint('supervisor.after_exit_record');
      await live.scope?.remove();
      Object.assign(live, {
        scope: null,
        process: null,
        activeFrom: null,
        lastProcess: activeMs === null ? null : { at, activeMs },
        rearm: null,
        row: await readRow(store, id),
      });
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

  const closeJournal = async (
    live: LiveInstance,
    { event, hit }: Extract<Verdict, { kind: 'close' }>,
  ): Promise<void> => {
    const { entries } = await store.call('journal.close', {
      id: live.row.id,
      incarnation: live.incarnation,
      events: hit === null ? [event] : [hit, event],
      at: context.now(),
    });
    for (const entry of entries) followJournal(live, entry);
  };

  const record = (instance: string, type: string, data: Record<string, unknown>): AuditEntry => {
    return { type, at: context.now(), actor: SUPERVISOR, instance, data };
  };

  return {
    start,
    adopt: (live) => {
      failpoint('supervisor.adopting');
      live.lifetime = new AbortController();
      returns.expect(live);
      live.scope = live.row.scope === null ? null : isolation.reopenScope(live.row.scope, live.row.limits);
      attend(live, null);
    },
    expectAdopted: () => {
      for (const live of returns.begin()) deadlines.report(live, RECONNECT_DEADLINE_MS);
    },
    connected: (live) => returns.came(live),
    get awaited() {
      return returns.awaited;
    },
    end,
    endSoon,
    close: () => {
      isClosed = true;
    },
  };
}
