import { hashJson } from '../audit/canonical.ts';
import { projectRun } from '../engine/projection.ts';
import { type Problem, WorkflowError } from '../errors/workflow-error.ts';
import type { Caller, StatusDocument } from '../protocol/control.ts';
import { instanceFolder } from '../protocol/home.ts';
import { hasEnded, type InstanceRow } from '../store/operations.ts';
import type { SupervisorContext } from './context.ts';
import type { ControlHandlers } from './control-server.ts';
import type { Fleet } from './fleet.ts';
import { measureUsage, type Watcher } from './live-instance.ts';
import { pinSkills } from './pin-skills.ts';
import { parsePins } from './pins.ts';
import { personOf } from './run-workflow.ts';
import { hashScript } from './script-pins.ts';
import { instanceSummary, statusDocument } from './status-document.ts';

type InstanceHandlers = Pick<
  ControlHandlers,
  | 'instance.list'
  | 'instance.status'
  | 'instance.watch'
  | 'instance.stop'
  | 'instance.resume'
  | 'instance.logs'
>;

/** The methods that speak of one instance or all of them. */
export function instanceMethods(context: SupervisorContext, fleet: Fleet): InstanceHandlers {
  const { store } = context;

  const find = async (given: string): Promise<InstanceRow> => {
    const id = await resolveId(given);
    const row = await store.call('instance.get', { id });
    if (row === null) throw new WorkflowError('INSTANCE_NOT_FOUND', `no instance has the id ${given}`);
    return row;
  };

  const resolveId = async (given: string): Promise<string> => {
    if (given === 'latest') {
      const latest = await store.call('instance.latest', {});
      if (latest === null) throw new WorkflowError('INSTANCE_NOT_FOUND', 'nothing has run yet');
      return latest;
    }
    const found = given === '' ? [] : await store.call('instance.find', { prefix: given });
    const [first] = found;
    if (first === undefined)
      throw new WorkflowError('INSTANCE_NOT_FOUND', `no instance has an id that begins with "${given}"`);
    if (found.length > 1 && first !== given)
      throw new WorkflowError('INSTANCE_AMBIGUOUS', `several ids begin with "${given}": ${found.join(', ')}`);
    return first;
  };

  const document = async (row: InstanceRow): Promise<StatusDocument> => {
    const live = fleet.find(row.id);
    if (live !== null)
      return statusDocument(row, live.projection, {
        status: live.status,
        usage: measureUsage(live),
        pid: live.process?.pid ?? null,
      });
    const projection = projectRun();
    for (const entry of await store.call('journal.read', { id: row.id, afterSeq: 0 }))
      projection.apply(entry);
    return statusDocument(row, projection, null);
  };

  return {
    'instance.list': async ({ isLiveOnly, limit }) => {
      const rows = await store.call('instance.list', { isLiveOnly, limit });
      return rows.map((row) => instanceSummary(row, fleet.find(row.id)?.status ?? row.status));
    },
    'instance.status': async ({ id }) => document(await find(id)),
    'instance.watch': async ({ id }, call) => {
      const row = await find(id);
      const live = fleet.find(row.id);
      if (live === null) return document(row);
      const watcher: Watcher = (notification) => call.notify(notification);
      live.watchers.add(watcher);
      call.gone.addEventListener('abort', () => live.watchers.delete(watcher), { once: true });
      return document(row);
    },
    'instance.stop': async ({ id, isForced, caller }) => {
      const row = await find(id);
      const live = fleet.find(row.id);
      if (live === null || hasEnded(row.status))
        throw new WorkflowError('ALREADY_ENDED', `the instance ${row.id} has ended already: ${row.status}`);
      if (isForced) await fleet.kill(live, personOf(caller));
      else await fleet.stop(live, personOf(caller));
      return { id: row.id, status: live.status };
    },
    'instance.resume': async ({ id, from, pins, caller }) => {
      const row = await find(id);
      if (fleet.find(row.id) !== null)
        throw new WorkflowError('NOT_RESUMABLE', `the instance ${row.id} has not ended: it is ${row.status}`);
      if (!['failed', 'stopped', 'killed', 'timed_out'].includes(row.status))
        throw new WorkflowError(
          'NOT_RESUMABLE',
          `the instance ${row.id} is ${row.status} and cannot be resumed`,
        );
      if (from !== null) await checkStep(row, from);
      if (pins === 'check') await checkPins(row, caller);
      await fleet.reopen(row, from, {
        type: 'instance.resume_requested',
        at: context.now(),
        actor: personOf(caller),
        instance: row.id,
        data: { from },
      });
      return { id: row.id, notices: row.notice === null ? [] : [row.notice] };
    },
    'instance.logs': async ({ id }) => {
      const row = await find(id);
      return {
        id: row.id,
        folder: instanceFolder(context.home, row.id),
        hasEnded: fleet.find(row.id) === null,
      };
    },
  };

  async function checkStep(row: InstanceRow, from: string): Promise<void> {
    const { steps } = await document(row);
    if (!steps.some((step) => step.path === from))
      throw new WorkflowError('STEP_NOT_FOUND', `the instance ${row.id} has no step at the path "${from}"`, {
        details: { steps: steps.map((step) => step.path).slice(0, 50) },
      });
  }

  /** Refuses to go on silently with skills that are no longer what they were. */
  async function checkPins(row: InstanceRow, caller: Caller): Promise<void> {
    const body = await store.call('document.get', { hash: row.pinsHash });
    if (body === null) throw new WorkflowError('INTERNAL', `the pinned definition of ${row.id} is missing`);
    const pinned = parsePins(body);
    let now: ReturnType<typeof pinSkills>['skills'];
    try {
      now = pinSkills(pinned.workflow, { ...caller, workspace: row.workspace }).skills;
    } catch (error) {
      throw new WorkflowError('PIN_CHANGED', `skills of instance ${row.id} are no longer there`, {
        cause: error,
      });
    }
    const problems: Problem[] = Object.entries(pinned.skills)
      .filter(([name, skill]) => hashJson(skill) !== hashJson(now[name] ?? null))
      .map(([name, skill]) => changed(skill.file ?? name, `the skill ${name}`));
    for (const [file, hash] of Object.entries(pinned.scripts))
      if (hashScript(file) !== hash) problems.push(changed(file, 'a script of a skill'));
    const source = hashScript(row.source);
    if (source !== null && source !== row.definitionHash)
      problems.push(changed(row.source, 'the definition'));
    if (problems.length > 0)
      throw new WorkflowError('PIN_CHANGED', `what instance ${row.id} began with has changed on disk`, {
        problems,
      });
  }
}

function changed(path: string, what: string): Problem {
  return { severity: 'error', path, message: `${what} changed since the run began` };
}
