import type { Server } from 'node:net';
import { availableParallelism, totalmem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { openIsolation } from '../../sandbox/open.ts';
import { SUPERVISOR } from '../audit/record.ts';
import type { WorkflowError } from '../errors/workflow-error.ts';
import type { Home } from '../protocol/home.ts';
import type { Lock } from '../protocol/lock.ts';
import type { ServiceFacts } from '../protocol/service.ts';
import { upkeepSettings } from '../protocol/upkeep-settings.ts';
import type { Store } from '../store/store.ts';
import { planCapacity } from './admission/capacity-plan.ts';
import { openArchive } from './archive/archive.ts';
import { archiveMethods } from './archive/archive-methods.ts';
import { openAuditKeeper } from './audit/audit-keeper.ts';
import { auditMethods } from './audit/audit-methods.ts';
import type { SupervisorContext } from './context.ts';
import { serveControl } from './control-server.ts';
import { personOf } from './definitions/run-workflow.ts';
import { workflowMethods } from './definitions/workflow-methods.ts';
import { openDiagnostics, openJournalDiagnostics } from './diagnostics.ts';
import { approvalMethods } from './guard/approval-methods.ts';
import { killMethods } from './guard/kill-methods.ts';
import { openKillSpool } from './guard/kill-spool.ts';
import { openKillSwitch } from './guard/kill-switch.ts';
import { createKiller } from './guard/killer.ts';
import { openMaskKey } from './guard/mask-key.ts';
import { recordedCalls } from './guard/recorded-calls.ts';
import { createPolicyReloads } from './guard/reload-policies.ts';
import { type HomeWatch, type Loss, watchHome } from './home-watch.ts';
import type { InstanceDoor } from './intake/instance-door.ts';
import { serveInstances } from './intake/instance-server.ts';
import { abandon } from './lifecycle/abandon.ts';
import { drain } from './lifecycle/drain.ts';
import { createFleet } from './lifecycle/fleet.ts';
import { awaitLastEnds } from './lifecycle/last-ends.ts';
import { recover, sweep } from './lifecycle/recovery.ts';
import { stopAll } from './lifecycle/stop-all.ts';
import { openSandboxes } from './sandboxes/sandboxes.ts';
import { sweepScratches } from './sandboxes/scratch-sweep.ts';
import { scheduleMethods } from './schedules/schedule-methods.ts';
import { createScheduler } from './schedules/scheduler.ts';
import { openBackups } from './upkeep/backups.ts';
import { createDiskGuard } from './upkeep/disk-guard.ts';
import { openQuietCollector } from './upkeep/quiet-collector.ts';
import { sweepUnfinished } from './upkeep/unfinished-files.ts';
import { dailyUpkeep } from './upkeep/upkeep-chores.ts';
import { watchStore } from './watched-store.ts';
import { instanceMethods } from './watching/instance-methods.ts';
import { countByStatus } from './watching/supervisor-status.ts';
import { openVitals } from './watching/vitals.ts';
import { openWatching } from './watching/watching.ts';

export interface SupervisorOptions {
  readonly home: Home;
  readonly lock: Lock;
  /** Being opened: by a thread of its own, while the code for the rest is loaded. */
  readonly database: Promise<Store>;
  /** Open already: what an earlier supervisor left comes back meanwhile. */
  readonly door: Promise<InstanceDoor>;
  readonly version: string;
  readonly isolation: 'auto' | 'cgroup' | 'polling';
  /** The descriptor of the journal that the log goes to; null: rotated files. */
  readonly journal: number | null;
  readonly service: ServiceFacts | null;
  /** How long `drain` waits. */
  readonly drainMs: number;
}

/** What becomes of running instances: left as they are, waited for with a bound and then left, or stopped. */
type Leaving = 'leave' | 'drain' | 'stop';

export interface Supervisor {
  readonly context: SupervisorContext;
  /** Takes no more work and leaves. Several calls join the first; `leave` cuts a drain short. */
  stop(instances: Leaving): Promise<void>;
  /** Reads the policies of all runs anew. Never rejects: the outcome is in log and audit. */
  reload(): Promise<void>;
  /** How it is, in a line. */
  summary(): string;
  /** Resolves when it begins to leave, whoever asked, with what becomes of instances. */
  readonly leaving: Promise<Leaving>;
  /** Resolves when it has left, with what drove it away. */
  readonly left: Promise<WorkflowError | null>;
}

const CAPACITY_STAYS =
  'The capacity is the default one until the supervisor is restarted: the configuration was not valid when it started.';

/** Instances to take over come first: what new runs get is looked at so much later, or when the first one asks. */
const LOOK_AHEAD_MS = 3_000;
/** What a supervisor without its state folder may still write takes no longer. */
const FAREWELL_MS = 5_000;

/** Starts the daemon in this process; the home's lock is held already. Resolves when it answers on its sockets. */
export async function startSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  const { home, lock } = options;
  const settings = upkeepSettings(process.env);
  const vitals = openVitals();
  const { journal } = options;
  // What writes the log is loaded while the database is opened.
  const [database, log] = await Promise.all([
    options.database,
    journal === null ? openDiagnostics(home.logFolder) : openJournalDiagnostics(journal),
  ]);
  const store = watchStore(database, vitals.watcher);
  const isolation = await openIsolation({ home: home.folder, requested: options.isolation });
  const ground = { home, store, log, now: Date.now };
  const killSwitch = await openKillSwitch(ground, openKillSpool(ground));
  const sandboxes = openSandboxes(home);
  if (await hasLive(store)) setTimeout(() => sandboxes.lookAhead(), LOOK_AHEAD_MS).unref();
  else sandboxes.lookAhead();
  const context: SupervisorContext = {
    home,
    store,
    isolation,
    sandboxes,
    killSwitch,
    maskKey: openMaskKey(home),
    log,
    version: options.version,
    startedAt: Date.now(),
    now: Date.now,
  };
  const machine = { memoryBytes: totalmem(), cores: availableParallelism() };
  const { capacity, problem } = planCapacity(machine, process.env);
  let capacityProblem = problem;
  if (problem !== null)
    log.error('the capacity is the default one: the configuration is not valid', { problem });
  const keeper = await openAuditKeeper(context, process.env);
  const fleet = createFleet(context, capacity);
  const guard = createDiskGuard(context, fleet);
  const scheduler = createScheduler(context, fleet);
  const { service } = options;
  const policies = createPolicyReloads(context, fleet);
  const parts = { fleet, scheduler, keeper, vitals, capacity, service };
  const moreProblems = (): string[] => [
    ...(capacityProblem === null ? [] : [capacityProblem]),
    ...policies.problems(),
  ];
  const watching = openWatching(context, { ...parts, moreProblems }, process.env);
  const killer = createKiller(context, fleet, openKillSpool(context));
  const backups = openBackups(context);
  const archive = openArchive(context, fleet);
  const upkeep = dailyUpkeep(context, backups, archive, settings);
  const collector = openQuietCollector(store);
  const readConfig = (): void => {
    watching.reload();
    // Running ones were admitted by it: it changes with a restart alone.
    if (problem !== null) capacityProblem = planCapacity(machine, process.env).problem ?? CAPACITY_STAYS;
  };
  const servers: Server[] = [];
  const hurried = new AbortController();
  let emptied: Promise<void> | null = null;
  let leaving: Promise<void> | null = null;
  const begun = Promise.withResolvers<Leaving>();
  const left = Promise.withResolvers<WorkflowError | null>();
  let homeWatch: HomeWatch | null = null;
  let loss: WorkflowError | null = null;

  const prepare = (instances: Leaving): Promise<void> => {
    // No wait: what it is about to start is refused, or among what is being taken in.
    scheduler.close();
    const refused = fleet.refuseMore();
    if (instances !== 'stop') return refused;
    emptied ??= refused.then(() => stopAll(fleet, log));
    return emptied;
  };
  const leave = async (instances: Leaving): Promise<void> => {
    if (instances === 'drain') {
      // The sockets stay open: what still runs needs its permits.
      await prepare(instances);
      await drain(fleet, log, options.drainMs, hurried.signal);
    }
    homeWatch?.close();
    for (const server of servers) server.close();
    await prepare(instances);
    await awaitLastEnds(fleet);
    guard.close();
    upkeep.close();
    collector.close();
    archive.close();
    killSwitch.close();
    fleet.close();
    // Leaving does not wait for the database: on a full disk the record goes to the spool.
    await openKillSpool(context).record({
      type: 'supervisor.stopped',
      at: Date.now(),
      actor: SUPERVISOR,
      instance: null,
      data: { instances },
    });
    // Before the lock is released: the next one may be about to use them.
    isolation.close();
    log.info('supervisor leaves', { instances });
    await watching.close();
    await keeper.close();
    await store.close();
    await log.close();
    lock.release();
    left.resolve(loss);
  };
  const stop = (instances: Leaving): Promise<void> => {
    if (leaving !== null && instances === 'leave') hurried.abort();
    begun.resolve(instances);
    leaving ??= leave(instances);
    return leaving;
  };

  const lose = async (lost: Loss): Promise<void> => {
    log.error('the supervisor ends: its state folder is not what it was', { cause: lost.error.message });
    loss = lost.error;
    scheduler.close();
    if (lost.what === 'state') await abandon(context, fleet, lost);
    // What it would still write may find no place.
    await Promise.race([stop('leave'), delay(FAREWELL_MS, undefined, { ref: false })]);
    left.resolve(loss);
  };

  await recover(context, fleet);
  const instanceServer = serveInstances(context, await options.door, {
    find: (id) => fleet.find(id),
    connected: (live) => fleet.connected(live),
    ended: (live) => fleet.ended(live),
    rejected: (live, reason) => fleet.rejected(live, reason),
  });
  servers.push(instanceServer);
  fleet.expectAdopted();
  await sweep(context, fleet);
  await sweepScratches(context);
  sweepUnfinished(context);
  await guard.look();
  // What came back under a switch that was tripped meanwhile.
  killSwitch.onFile((latch) => void killer.enforce(latch));
  for (const latch of killSwitch.list()) void killer.enforce(latch);
  const controlServer = await serveControl(context, {
    ...workflowMethods(context, fleet, scheduler),
    ...instanceMethods(context, fleet),
    ...recordedCalls(context),
    ...approvalMethods(context, fleet),
    ...killMethods(context, killer),
    ...scheduleMethods(context, scheduler),
    ...auditMethods(context, keeper),
    ...watching.methods,
    'policy.reload': (params, call) => {
      readConfig();
      return policies.methods['policy.reload'](params, call);
    },
    ...archiveMethods(context, archive, settings),
    'supervisor.ping': async () => null,
    'supervisor.backup': ({ output, caller }) => backups.make(output, personOf(caller)),
    'supervisor.stop': async ({ instances }) => {
      await prepare(instances);
      setImmediate(() => void stop(instances));
      return { pid: process.pid };
    },
  });
  servers.push(controlServer);
  const sockets = [
    { server: instanceServer, path: home.instanceSocket },
    { server: controlServer, path: home.controlSocket },
  ];
  homeWatch = watchHome(home, log, sockets, (lost) => void lose(lost));
  await watching.start();
  scheduler.start();
  log.info('supervisor is ready', { pid: process.pid, isolation: isolation.report });
  return {
    context,
    stop,
    reload: () => {
      readConfig();
      return policies.bySignal();
    },
    leaving: begun.promise,
    summary: () => summaryOf(isolation.report.backend, countByStatus(fleet)),
    left: left.promise,
  };
}

async function hasLive(store: Store): Promise<boolean> {
  const [first] = await store.call('instance.live', { limit: 1 });
  return first !== undefined;
}

function summaryOf(backend: string, counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([status, count]) => `${count} ${status}`);
  return `limits by ${backend}; ${parts.join(', ') || 'no instances'}`;
}
