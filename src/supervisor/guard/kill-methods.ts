import { WorkflowError } from '../../errors/workflow-error.ts';
import { parseKillScope } from '../../guard/kill/kill-scope.ts';
import type { Latch } from '../../guard/kill/latch-files.ts';
import { writeDrillNote } from '../../protocol/drill-note.ts';
import { type LatchDocument, REARM_PHRASE } from '../../protocol/guard-documents.ts';
import type { SupervisorContext } from '../context.ts';
import type { ControlHandlers } from '../control-server.ts';
import { personOf } from '../definitions/run-workflow.ts';
import type { Killer } from './killer.ts';

type KillHandlers = Pick<
  ControlHandlers,
  'kill.trip' | 'kill.rearm' | 'kill.status' | 'kill.probe' | 'kill.drilled'
>;

/** The methods that speak of kill switches. */
export function killMethods(context: SupervisorContext, killer: Killer): KillHandlers {
  const { killSwitch, store } = context;
  return {
    'kill.trip': async ({ scope, mode, reason, at, caller }) => {
      const actor = personOf(caller);
      const latch: Latch = { scope: parseKillScope(scope), mode, reason, by: `person ${actor.id}`, at };
      return killer.trip(latch, actor);
    },
    'kill.rearm': async ({ scope, reason, phrase, caller }) => {
      parseKillScope(scope);
      if (reason.trim() === '')
        throw new WorkflowError('USAGE', 're-arming a kill switch needs a reason', {
          hint: 'Give it with --reason.',
        });
      if (scope === 'global' && phrase !== REARM_PHRASE)
        throw new WorkflowError('USAGE', 're-arming the global kill switch needs the typed phrase', {
          hint: `Give --confirm "${REARM_PHRASE}".`,
        });
      await killSwitch.rearm(scope, reason, personOf(caller));
      return { scope };
    },
    'kill.status': async () => ({ latches: killSwitch.list().map(latchDocument), epoch: killSwitch.epoch }),
    'kill.probe': async ({ id, path }) => {
      const row = await store.call('instance.get', { id });
      if (row === null) throw new WorkflowError('INSTANCE_NOT_FOUND', `there is no instance ${id}`);
      const subject = { workflow: row.workflow, instance: id, agent: null, tool: null, path };
      const held = killSwitch.heldBy(subject);
      const code = held === null ? null : 'KILL_SWITCH';
      const reason = held === null ? 'nothing holds it' : `the kill switch ${held} is tripped`;
      return { code, reason };
    },
    'kill.drilled': async ({ evidence, caller }) => {
      const { id: instance, held } = evidence;
      const at = context.now();
      const entry = { type: 'kill.drilled', at, actor: personOf(caller), instance };
      await store.call('audit.append', { entries: [{ ...entry, data: { ...evidence } }] });
      writeDrillNote(context.home, { at, instance, held });
      return { recorded: true };
    },
  };
}

export function latchDocument({ at, ...latch }: Latch): LatchDocument {
  return { ...latch, tripped_at: new Date(at).toISOString() };
}
