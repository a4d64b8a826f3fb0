import type { KillReport } from '../../../sandbox/isolation.ts';
import { type AuditActor, type AuditEntry, SUPERVISOR } from '../../audit/record.ts';
import type { KillMode } from '../../guard/kill/latch-files.ts';
import type { HaltedInstance } from '../../protocol/guard-documents.ts';
import type { SupervisorContext } from '../context.ts';
import { openKillSpool } from '../guard/kill-spool.ts';
import type { Closer, CloseStatus } from './closer.ts';
import type { Incarnations } from './incarnation.ts';
import type { LiveInstance } from './live-instance.ts';
import type { Pauses } from './pauses.ts';

/** The ways in which a run is ended from outside. */
export interface Ends {
  /** Ends a run in good order; after a deadline its tree is killed. Resolves when the request is on its way. */
  stop(live: LiveInstance, actor: AuditActor): Promise<void>;
  kill(live: LiveInstance, actor: AuditActor): Promise<void>;
  /** Ends a run by a kill switch, as its mode says. Resolves when its processes are gone. */
  halt(live: LiveInstance, mode: KillMode, by: string): Promise<HaltReport>;
}

/** What the end by a kill switch found. */
export type HaltReport = Omit<HaltedInstance, 'id' | 'workflow'>;

export interface EndMeans {
  readonly incarnations: Pick<Incarnations, 'end' | 'endSoon'>;
  readonly closer: Closer;
  readonly pauses: Pauses;
  /** False once it has ended. */
  readonly isKnown: (live: LiveInstance) => boolean;
}

/** A stopping instance has this long to end its steps and itself. */
const STOP_DEADLINE_MS = 20_000;
/** The same, when a kill switch stops it. */
const SWITCH_STOP_MS = 10_000;

type Counts = Pick<KillReport, 'foundCount' | 'killedCount' | 'survivors'>;

export function hasProcess(live: LiveInstance): boolean {
  return live.scope !== null;
}

export function createEnds(
  context: SupervisorContext,
  { incarnations, closer, pauses, isKnown }: EndMeans,
): Ends {
  const spool = openKillSpool(context);

  const requested = (live: LiveInstance, type: string, actor: AuditActor): AuditEntry => ({
    type,
    at: context.now(),
    actor,
    instance: live.row.id,
    data: {},
  });

  const killBySwitch = async (live: LiveInstance, by: string): Promise<Counts> =>
    (await incarnations.end(live, { kind: 'kill_switch', by })) ?? NOTHING;

  /** Asks for the end in good order; null when that did not come in time. */
  const stopBySwitch = async (live: LiveInstance, by: string): Promise<Counts | null> => {
    // Who stands still cannot end its steps.
    await pauses.unpause(live, SUPERVISOR);
    const foundCount = live.scope?.pids().length ?? 0;
    const isOver = new Promise<true>((resolve) => {
      live.watchers.add(({ method }) => method === 'instance.ended' && resolve(true));
    });
    live.pendingStop = { kind: 'kill_switch', by };
    live.link?.send({ type: 'stop', ...live.pendingStop });
    const isLate = new Promise<false>((resolve) => setTimeout(resolve, SWITCH_STOP_MS, false).unref());
    return (await Promise.race([isOver, isLate])) ? { ...NOTHING, foundCount } : null;
  };

  return {
    stop: async (live, actor) => {
      const by = `${actor.kind} ${actor.id}`;
      if (!hasProcess(live)) return closer.close(live, 'stopped', by);
      // Who stands still cannot end its steps.
      await pauses.unpause(live, actor);
      live.pendingStop = { kind: 'stop', by };
      live.link?.send({ type: 'stop', ...live.pendingStop });
      setTimeout(() => {
        if (isKnown(live) && hasProcess(live)) void incarnations.endSoon(live, { kind: 'killed', by });
      }, STOP_DEADLINE_MS).unref();
      await spool.record(requested(live, 'instance.stop_requested', actor));
    },
    kill: async (live, actor) => {
      const by = `${actor.kind} ${actor.id}`;
      if (!hasProcess(live)) return closer.close(live, 'killed', by);
      // The kill does not wait for its record.
      await Promise.all([
        incarnations.end(live, { kind: 'killed', by }),
        spool.record(requested(live, 'instance.kill_requested', actor)),
      ]);
    },
    halt: async (live, mode, by) => {
      const startedAt = performance.now();
      const had = hasProcess(live);
      if (!had) await closer.close(live, 'kill_switch', by);
      const gentle = had && mode === 'stop' ? await stopBySwitch(live, by) : null;
      const { foundCount, killedCount, survivors } = gentle ?? (had ? await killBySwitch(live, by) : NOTHING);
      return {
        had_process: had,
        found: foundCount,
        killed: killedCount,
        survivors,
        ms: Math.round(performance.now() - startedAt),
      };
    },
  };
}

const NOTHING: Counts = { foundCount: 0, killedCount: 0, survivors: [] };

/** An end that somebody asked for while the process was leaving, too late for the verdict about its exit. */
export function askedEnd({
  endRequest,
  pendingStop,
}: LiveInstance): { readonly status: CloseStatus; readonly by: string } | null {
  if (endRequest?.kind === 'killed' || endRequest?.kind === 'kill_switch')
    return { status: endRequest.kind, by: endRequest.by };
  if (pendingStop === null) return null;
  return { status: pendingStop.kind === 'kill_switch' ? 'kill_switch' : 'stopped', by: pendingStop.by };
}
