import type { Server } from 'node:net';
import { availableParallelism, totalmem } from 'node:os';
import { chooseIsolation } from '../../sandbox/choose.ts';
import { bootId } from '../../sandbox/process-identity.ts';
import { SUPERVISOR } from '../audit/record.ts';
import type { SupervisorStatus } from '../protocol/control.ts';
import type { Home } from '../protocol/home.ts';
import { openStore } from '../store/store.ts';
import type { SupervisorContext } from './context.ts';
import { serveControl } from './control-server.ts';
import { openDiagnostics } from './diagnostics.ts';
import { createFleet, type Fleet } from './fleet.ts';
import { instanceMethods } from './instance-methods.ts';
import { serveInstances } from './instance-server.ts';
import { openKillSpool } from './kill-spool.ts';
import type { HomeLock } from './lock.ts';
import { recover, sweep } from './recovery.ts';
import { workflowMethods } from './workflow-methods.ts';

export interface SupervisorOptions {
  readonly home: Home;
  readonly lock: HomeLock;
  readonly version: string;
  readonly isolation: 'auto' | 'cgroup' | 'polling';
}

export interface Supervisor {
  readonly context: SupervisorContext;
  /** Takes no more work and leaves; instances are left running, or stopped first. Several calls join the first. */
  stop(instances: 'leave' | 'stop'): Promise<void>;
  /** Resolves when it has left. */
  readonly left: Promise<void>;
}

/** Share of the machine's memory that instances may be promised together; the rest is for the system and us. */
const MEMORY_SHARE = 0.85;
/** Starts at once, a core: a start is all CPU, more only slow each other down. */
const STARTS_PER_CORE = 2;
const STOP_ALL_DEADLINE_MS = 30_000;

/** Starts the daemon in this process; the home's lock is held already. Resolves when it answers on its sockets. */
export async function startSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  const { home, lock } = options;
  const store = await openStore(home.database, bootId());
  const log = await openDiagnostics(home.logFolder);
  const isolation = chooseIsolation({ home: home.folder, requested: options.isolation });
  const context: SupervisorContext = {
    home,
    store,
    isolation,
    log,
    version: options.version,
    startedAt: Date.now(),
    now: Date.now,
  };
  const capacity = {
    memoryBytes: Math.floor(totalmem() * MEMORY_SHARE),
    concurrentStarts: STARTS_PER_CORE * availableParallelism(),
  };
  const fleet = createFleet(context, capacity);
  const servers: Server[] = [];
  let leaving: Promise<void> | null = null;
  let haveLeft: () => void = () => undefined;
  const left = new Promise<void>((resolve) => {
    haveLeft = resolve;
  });

  const leave = async (instances: 'leave' | 'stop'): Promise<void> => {
    for (const server of servers) server.close();
    if (instances === 'stop') await stopAll(fleet);
    fleet.close();
    // Leaving does not wait for the database: on a full disk the record goes to the spool.
    await openKillSpool(context).record({
      type: 'supervisor.stopped',
      at: Date.now(),
      actor: SUPERVISOR,
      instance: null,
      data: { instances },
    });
    log.info('supervisor leaves', { instances });
    await store.close();
    await log.close();
    lock.release();
    haveLeft();
  };
  const stop = (instances: 'leave' | 'stop'): Promise<void> => {
    leaving ??= leave(instances);
    return leaving;
  };

  const status = async (): Promise<SupervisorStatus> => {
    const counts: Record<string, number> = {};
    for (const live of fleet.all()) counts[live.status] = (counts[live.status] ?? 0) + 1;
    const { backend, enforced, observed, missing } = isolation.report;
    return {
      pid: process.pid,
      version: options.version,
      home: home.folder,
      started_at: new Date(context.startedAt).toISOString(),
      isolation: { backend, enforced, observed },
      missing,
      instances: counts,
      queue: fleet.ledger.queue(),
      memory_bytes: process.memoryUsage.rss(),
      store_pending: store.pending,
    };
  };

  const known = await recover(context, fleet);
  servers.push(
    await serveInstances(context, {
      find: (id) => fleet.find(id),
      connected: (live) => fleet.connected(live),
      ended: (live) => fleet.ended(live),
      rejected: (live, reason) => fleet.rejected(live, reason),
    }),
  );
  await sweep(context, known);
  servers.push(
    await serveControl(context, {
      ...workflowMethods(context, fleet),
      ...instanceMethods(context, fleet),
      'supervisor.status': status,
      'supervisor.stop': async ({ instances }) => {
        if (instances === 'stop') await stopAll(fleet);
        setImmediate(() => void stop('leave'));
        return { pid: process.pid };
      },
    }),
  );
  log.info('supervisor is ready', { pid: process.pid, isolation: isolation.report });
  return { context, stop, left };
}

/** Stops every instance in good order and waits for their ends, with a bound. */
async function stopAll(fleet: Fleet): Promise<void> {
  const ends = fleet.all().map(
    (live) =>
      new Promise<void>((resolve) => {
        live.watchers.add((notification) => notification.method === 'instance.ended' && resolve());
        void fleet.stop(live, SUPERVISOR);
      }),
  );
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, STOP_ALL_DEADLINE_MS);
  });
  await Promise.race([Promise.all(ends), deadline]);
  clearTimeout(timer);
}
