import type { KillSubject } from '../guard/kill/kill-scope.ts';
import { heldByFile } from '../guard/kill/latch-files.ts';
import type { Bootstrap, Permit, PermitRequest } from '../protocol/instance-link.ts';
import type { Journal } from './journal.ts';

/** How everything in the instance asks leave for an effect. */
export interface Leave {
  /**
   * The decision of the supervisor that holds now: one of an older epoch is asked for again, and one that a kill-switch
   * file says otherwise about is a refusal, for the supervisor may have died since. Null when `signal` aborts first.
   */
  ask(request: PermitRequest, signal: AbortSignal): Promise<Permit | null>;
  /** A switch was tripped or re-armed: permits of before count no more. */
  renew(epoch: number): void;
}

export function createLeave(
  bootstrap: Pick<Bootstrap, 'workflow' | 'instance' | 'killFolder'>,
  journal: Pick<Journal, 'permit'>,
): Leave {
  let newest = 0;
  return {
    ask: async (request, signal) => {
      for (;;) {
        const permit = await journal.permit(request, signal);
        if (permit === null) return null;
        if (permit.epoch < newest) continue;
        const held = heldByFile(bootstrap.killFolder, subjectOf(bootstrap, request));
        return held === null ? permit : refusal(permit, `the kill switch ${held} is tripped`);
      }
    },
    renew: (epoch) => {
      newest = Math.max(newest, epoch);
    },
  };
}

function refusal(permit: Permit, reason: string): Permit {
  return { ...permit, decision: 'deny', code: 'KILL_SWITCH', reason };
}

function subjectOf(
  { workflow, instance }: Pick<Bootstrap, 'workflow' | 'instance'>,
  { agentName, agent, path }: PermitRequest,
): KillSubject {
  return { workflow: workflow.name, instance, agent: agentName, tool: agent?.tool ?? null, path };
}
