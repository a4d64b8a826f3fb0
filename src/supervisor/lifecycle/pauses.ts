import type { AuditActor } from '../../audit/record.ts';
import { wholeRun } from '../../guard/kill/kill-scope.ts';
import { failpoint } from '../../protocol/failpoint.ts';
import type { SupervisorContext } from '../context.ts';
import { activeMsOf, isPaused, type LiveInstance, setStatus } from './live-instance.ts';
import { readRow } from './read-live.ts';

/** Keeps instances from going on and lets them go on: durable first, then done to the processes. */
export interface Pauses {
  /** Its processes stand still, or none is started; its time does not run. Nothing happens to a paused one. */
  pause(live: LiveInstance, actor: AuditActor): Promise<void>;
  /** Takes the pause back, whoever asked for it. */
  unpause(live: LiveInstance, actor: AuditActor): Promise<void>;
  /** Brings the processes of an adopted instance to what its row says: a crash may lie between the two. */
  settle(live: LiveInstance): Promise<void>;
}

/** `goOn` starts or wakes an instance without a process again. */
export function createPauses(context: SupervisorContext, goOn: (live: LiveInstance) => void): Pauses {
  const { store } = context;

  const refresh = async (live: LiveInstance): Promise<void> => {
    live.row = await readRow(store, live.row.id);
  };

  const settle = async (live: LiveInstance): Promise<void> => {
    if (isPaused(live)) {
      await live.scope?.freeze();
      setStatus(live, 'paused', `paused by ${live.row.pausedBy}`);
      return;
    }
    // It may be frozen for its evidence, and is not to do anything more before the switch has ended it.
    if (context.killSwitch.heldBy(wholeRun(live.row)) !== null) return;
    await live.scope?.thaw();
  };

  return {
    pause: async (live, actor) => {
      if (isPaused(live)) return;
      const by = actor.kind === 'supervisor' ? actor.kind : `${actor.kind} ${actor.id}`;
      const at = context.now();
      const audit = { type: 'instance.paused', at, actor, instance: live.row.id, data: {} };
      await store.call('instance.pause', { id: live.row.id, by, activeMs: activeMsOf(live), at, audit });
      live.activeFrom = null;
      failpoint('supervisor.paused');
      await refresh(live);
      // The timers of an instance without a process; those of one with a process look at the pause themselves.
      if (live.scope === null) live.lifetime.abort();
      await settle(live);
    },
    unpause: async (live, actor) => {
      if (!isPaused(live)) return;
      const at = context.now();
      const audit = { type: 'instance.unpaused', at, actor, instance: live.row.id, data: {} };
      await store.call('instance.unpause', { id: live.row.id, at, audit });
      failpoint('supervisor.unpaused');
      await refresh(live);
      if (live.scope === null) {
        goOn(live);
        return;
      }
      await settle(live);
      live.rearm?.();
      setStatus(live, live.hasReported || live.link !== null ? live.projection.status : 'initializing', null);
    },
    settle,
  };
}
