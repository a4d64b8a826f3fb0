import type { Scope } from '../../../sandbox/isolation.ts';
import { commandOf } from '../../../sandbox/process-command.ts';
import { type AuditActor, type AuditEntry, SUPERVISOR } from '../../audit/record.ts';
import { ensureError } from '../../errors/workflow-error.ts';
import { isPart, type KillScope } from '../../guard/kill/kill-scope.ts';
import type { KillMode, Latch } from '../../guard/kill/latch-files.ts';
import type { HaltedInstance, KillDocument } from '../../protocol/guard-documents.ts';
import type { SupervisorContext } from '../context.ts';
import type { Fleet } from '../lifecycle/fleet.ts';
import type { LiveInstance } from '../lifecycle/live-instance.ts';
import { endParts, reasonOf } from '../lifecycle/part-ends.ts';
import type { KillSpool } from './kill-spool.ts';

/** Carries out what a tripped switch means for what runs. */
export interface Killer {
  /** Latches, then ends what the scope covers. Doing it again ends again what came since. Resolves when it is over. */
  trip(latch: Latch, actor: AuditActor): Promise<KillDocument>;
  /** Ends what runs under a switch that is tripped: after a start, or when a file appeared. Never rejects. */
  enforce(latch: Latch): Promise<Enforced>;
}

interface Enforced {
  readonly instances: readonly HaltedInstance[];
  /** Those that were ended as a whole though the scope covers parts only. */
  readonly escalated: readonly string[];
}

export function createKiller(
  context: SupervisorContext,
  fleet: Fleet,
  spool: Pick<KillSpool, 'record'>,
): Killer {
  const { killSwitch, log } = context;

  const halt = async (live: LiveInstance, mode: KillMode, by: string): Promise<HaltedInstance> => {
    const { id, workflow } = live.row;
    try {
      if (mode === 'quarantine' && live.scope !== null)
        await spool.record(await evidence(context, live, live.scope));
      return { id, workflow, ...(await fleet.halt(live, mode, by)) };
    } catch (error) {
      const message = ensureError(error).message;
      log.error('a kill switch could not end an instance', { instance: id, cause: message });
      return { id, workflow, had_process: true, found: 0, killed: 0, survivors: [], ms: 0, failure: message };
    }
  };

  const endCovered = async (latch: Latch): Promise<Enforced> => {
    const by = reasonOf(latch);
    const lives = fleet.all();
    if (!isPart(latch.scope)) {
      const covered = lives.filter((live) => holdsWhole(latch.scope, live));
      return {
        instances: await Promise.all(covered.map((live) => halt(live, latch.mode, by))),
        escalated: [],
      };
    }
    const hung = await endParts(context, lives, latch);
    for (const { row } of hung)
      log.warn('an instance did not end what a kill switch covers: it is ended as a whole', {
        instance: row.id,
        scope: latch.scope,
      });
    // Who does not react does not end in good order either.
    const mode = latch.mode === 'stop' ? 'kill' : latch.mode;
    return {
      instances: await Promise.all(hung.map((live) => halt(live, mode, by))),
      escalated: hung.map(({ row }) => row.id),
    };
  };

  /** What was ended under each switch, for the command that wrote its file and asks when we have done it already. */
  const ended = new Map<KillScope, { readonly at: number; readonly enforced: Enforced }>();
  const underWay = new Map<string, Promise<Enforced>>();
  const enforce = (latch: Latch): Promise<Enforced> => {
    const key = `${latch.mode} ${latch.scope}`;
    const known = underWay.get(key);
    if (known !== undefined) return known;
    const started = endCovered(latch)
      .then((enforced) => {
        const before = ended.get(latch.scope);
        const whole = before?.at === latch.at ? joined(before.enforced, enforced) : enforced;
        ended.set(latch.scope, { at: latch.at, enforced: whole });
        return whole;
      })
      .finally(() => underWay.delete(key));
    underWay.set(key, started);
    return started;
  };

  return {
    enforce,
    trip: async (latch, actor) => {
      const startedAt = performance.now();
      const { isNew, recorded } = killSwitch.latch(latch, actor);
      const { instances, escalated } = await enforce(latch);
      const document: KillDocument = {
        scope: latch.scope,
        mode: latch.mode,
        reason: latch.reason,
        by: latch.by,
        tripped_at: new Date(latch.at).toISOString(),
        is_new: isNew,
        carried_out_by: 'supervisor',
        instances,
        escalated,
        survivors: instances.reduce((sum, each) => sum + each.survivors.length, 0),
        ms: Math.round(performance.now() - startedAt),
      };
      await recorded;
      await spool.record({
        type: 'kill.done',
        at: context.now(),
        actor,
        instance: null,
        data: { scope: latch.scope, mode: latch.mode, instances, escalated, ms: document.ms },
      });
      return document;
    },
  };
}

function holdsWhole(scope: KillScope, live: LiveInstance): boolean {
  return (
    scope === 'global' || scope === `workflow:${live.row.workflow}` || scope === `instance:${live.row.id}`
  );
}

const EVIDENCE_PROCESSES = 200;

/** Freezes an instance and notes what is in it. It stays frozen until the kill that follows. */
async function evidence(context: SupervisorContext, live: LiveInstance, scope: Scope): Promise<AuditEntry> {
  await scope.freeze();
  const pids = scope.pids();
  return {
    type: 'kill.evidence',
    at: context.now(),
    actor: SUPERVISOR,
    instance: live.row.id,
    data: {
      processes: pids.slice(0, EVIDENCE_PROCESSES).map((pid) => ({ pid, command: commandOf(pid) })),
      process_count: pids.length,
      usage: scope.usage(),
      running_steps: live.projection
        .view()
        .steps.flatMap((step) => (step.status === 'running' ? [step.path] : [])),
    },
  };
}

/** Of an instance in which nothing was left to end the second time, the first time tells what was. */
function joined(before: Enforced, now: Enforced): Enforced {
  const kept = before.instances.flatMap((first) => {
    const again = now.instances.find(({ id }) => id === first.id);
    if (again !== undefined && (again.found > 0 || again.failure !== undefined)) return [];
    return again === undefined ? [first] : [{ ...first, survivors: again.survivors }];
  });
  const others = now.instances.filter(({ id }) => !kept.some((each) => each.id === id));
  return {
    instances: [...kept, ...others],
    escalated: [...new Set([...before.escalated, ...now.escalated])],
  };
}
