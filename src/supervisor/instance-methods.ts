import { hashJson } from '../audit/canonical.ts';
import type { Json } from '../definition/workflow.ts';
import type { JournalEntry } from '../engine/events.ts';
import { projectRun, type RunProjection } from '../engine/projection.ts';
import { didYouMean, nearest } from '../errors/nearest.ts';
import { ensureError, type Problem, WorkflowError } from '../errors/workflow-error.ts';
import type { Caller, StatusDocument } from '../protocol/control.ts';
import { instanceFolder } from '../protocol/home.ts';
import { hasEnded, type InstanceRow } from '../store/operations.ts';
import { withValues } from './blob-values.ts';
import type { SupervisorContext } from './context.ts';
import type { ControlHandlers } from './control-server.ts';
import type { Fleet } from './fleet.ts';
import { isPaused, measureUsage, type Watcher } from './live-instance.ts';
import { agentVariables, keepKeys } from './model-keys.ts';
import { pinAgents } from './pin-agents.ts';
import { pinSkills, usableSkills } from './pin-skills.ts';
import { readPins } from './pins.ts';
import { resolveInstance } from './resolve-instance.ts';
import { checkedKeys, personOf } from './run-workflow.ts';
import { hashScript } from './script-pins.ts';
import { instanceSummary, statusDocument } from './status-document.ts';

type InstanceHandlers = Pick<
  ControlHandlers,
  | 'instance.list'
  | 'instance.status'
  | 'instance.watch'
  | 'instance.stop'
  | 'instance.pause'
  | 'instance.resume'
  | 'instance.logs'
  | 'instance.definition'
>;

/** The methods that speak of one instance or all of them. */
export function instanceMethods(context: SupervisorContext, fleet: Fleet): InstanceHandlers {
  const { store } = context;

  const find = async (given: string): Promise<InstanceRow> => {
    const id = await resolveInstance(store, given);
    const row = await store.call('instance.get', { id });
    if (row === null) throw new WorkflowError('INSTANCE_NOT_FOUND', `no instance has the id ${given}`);
    return row;
  };

  const document = async (row: InstanceRow): Promise<StatusDocument> =>
    withValues(instanceFolder(context.home, row.id), await shortDocument(row));

  /** With references for large values. */
  const shortDocument = async (row: InstanceRow): Promise<StatusDocument> => {
    const live = fleet.find(row.id);
    // The row may be ahead: of a commit we hear a moment after the next reader of the database does.
    const isBehind = live !== null && live.lastSeq < row.lastSeq;
    const now = live && {
      status: isBehind ? row.status : live.status,
      usage: measureUsage(live),
      usedNow: live.scope === null ? null : live.usedNow,
      pid: live.process?.pid ?? null,
    };
    if (live !== null && !isBehind) return statusDocument(row, live.projection, now);
    const journal = await store.call('journal.read', { id: row.id, afterSeq: 0 });
    return statusDocument(row, projected(context, row, journal), now);
  };

  return {
    'instance.list': async ({ isLiveOnly, limit }) => {
      const rows = await store.call('instance.list', { isLiveOnly, limit });
      return rows.map((row) => {
        const status = hasEnded(row.status) ? row.status : (fleet.find(row.id)?.status ?? row.status);
        return instanceSummary(row, status);
      });
    },
    'instance.status': async ({ id }) => document(await find(id)),
    'instance.watch': async ({ id }, call) => {
      const row = await find(id);
      const live = fleet.find(row.id);
      if (live === null || call.gone.aborted) return document(row);
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
    'instance.pause': async ({ id, caller }) => {
      const row = await find(id);
      const live = fleet.find(row.id);
      if (live === null || hasEnded(row.status))
        throw new WorkflowError('ALREADY_ENDED', `the instance ${row.id} has ended already: ${row.status}`);
      await fleet.pause(live, personOf(caller));
      return { id: row.id, status: live.status };
    },
    'instance.resume': async ({ id, from, pins, caller, modelEnv = {} }) => {
      const row = await find(id);
      const live = fleet.find(row.id);
      if (live !== null && isPaused(live) && from === null) {
        await fleet.unpause(live, personOf(caller));
        return { id: row.id, notices: [] };
      }
      if (live !== null)
        throw new WorkflowError('NOT_RESUMABLE', `the instance ${row.id} has not ended: it is ${row.status}`);
      if (!['failed', 'stopped', 'killed', 'timed_out'].includes(row.status))
        throw new WorkflowError(
          'NOT_RESUMABLE',
          `the instance ${row.id} is ${row.status} and cannot be resumed`,
        );
      if (from !== null) await checkStep(row, from);
      if (pins === 'check') await checkPins(row, caller);
      const { models, agents } = await readPins(store, row);
      keepKeys(context.home, row.id, {
        ...checkedKeys(Object.values(models), modelEnv, context.home),
        ...agentVariables(agents, modelEnv),
      });
      await fleet.reopen(row, from, {
        type: 'instance.resume_requested',
        at: context.now(),
        actor: personOf(caller),
        instance: row.id,
        data: { from },
      });
      return { id: row.id, notices: row.notice === null ? [] : [row.notice] };
    },
    'instance.definition': async ({ id }) => {
      const row = await find(id);
      const text = await store.call('document.get', { hash: row.definitionHash });
      if (text === null) throw new WorkflowError('INTERNAL', `the definition of ${row.id} is missing`);
      return { id: row.id, definition: JSON.parse(text) as Json };
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
    const { steps } = await shortDocument(row);
    if (!steps.some((step) => step.path === from))
      throw new WorkflowError(
        'STEP_NOT_FOUND',
        `the instance ${row.id} has no step at the path "${from}"${nearPath(steps, from)}`,
        { details: { steps: steps.map((step) => step.path).slice(0, 50) } },
      );
  }

  /** Refuses to go on silently with skills that are no longer what they were. */
  async function checkPins(row: InstanceRow, caller: Caller): Promise<void> {
    const pinned = await readPins(store, row);
    let now: ReturnType<typeof pinSkills>['skills'];
    let agents: ReturnType<typeof pinAgents>['agents'];
    try {
      const there = { ...caller, workspace: row.workspace };
      now = { ...usableSkills(there), ...pinSkills(pinned.workflow, there).skills };
      agents = pinAgents(pinned.workflow, there).agents;
    } catch (error) {
      throw new WorkflowError('PIN_CHANGED', `skills or agents of instance ${row.id} are no longer there`, {
        cause: error,
      });
    }
    const problems: Problem[] = Object.entries(pinned.skills)
      .filter(([name, skill]) => hashJson(skill) !== hashJson(now[name] ?? null))
      .map(([name, skill]) => changed(skill.file ?? name, `the skill ${name}`));
    for (const [name, agent] of Object.entries(pinned.agents))
      if (hashJson(agent) !== hashJson(agents[name] ?? null))
        problems.push(changed(agent.file, `the agent ${name}`));
    for (const [file, hash] of Object.entries(pinned.scripts))
      if (hashScript(file) !== hash) problems.push(changed(file, 'a script of a skill'));
    if (await hasChanged(row)) problems.push(changed(row.source, 'the definition'));
    if (problems.length > 0)
      throw new WorkflowError('PIN_CHANGED', `what instance ${row.id} began with has changed on disk`, {
        problems,
      });
  }
  /** A registered definition is run as it was registered, whatever became of its file. */
  async function hasChanged(row: InstanceRow): Promise<boolean> {
    const now = hashScript(row.source);
    if (now === null || now === row.definitionHash) return false;
    const registered = await store.call('registration.get', { name: row.workflow });
    return registered?.definitionHash !== row.definitionHash;
  }
}

/** The picture of a journal; an empty one, and a line in the log, when it cannot be made: the row says what is known. */
function projected(
  { log }: SupervisorContext,
  { id }: InstanceRow,
  journal: readonly JournalEntry[],
): RunProjection {
  const projection = projectRun();
  try {
    for (const entry of journal) projection.apply(entry);
    return projection;
  } catch (error) {
    log.error('the journal of an instance cannot be read', {
      instance: id,
      cause: ensureError(error).message,
    });
    return projectRun();
  }
}

function changed(path: string, what: string): Problem {
  return { severity: 'error', path, message: `${what} changed since the run began` };
}

function nearPath(steps: StatusDocument['steps'], given: string): string {
  return didYouMean(
    nearest(
      given,
      steps.map((step) => step.path),
    ),
  );
}
