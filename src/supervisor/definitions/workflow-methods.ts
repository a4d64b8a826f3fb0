import type { Json } from '../../definition/workflow.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import type { VersionDocument } from '../../protocol/workflow-control.ts';
import type { VersionRow } from '../../store/tables/version-rows.ts';
import type { SupervisorContext } from '../context.ts';
import type { ControlHandlers } from '../control-server.ts';
import type { Fleet } from '../lifecycle/fleet.ts';
import type { Scheduler } from '../schedules/scheduler.ts';
import { createCheckedDefinitions } from './checked-definitions.ts';
import { nearRegistered } from './registered-names.ts';
import { personOf, runWorkflow } from './run-workflow.ts';
import { findWorkflow, listWorkflows, loadSource, summarise } from './workflow-source.ts';

type WorkflowHandlers = Pick<
  ControlHandlers,
  | 'workflow.run'
  | 'workflow.list'
  | 'workflow.versions'
  | 'workflow.show'
  | 'workflow.register'
  | 'workflow.unregister'
>;

/** The methods that speak of definitions. */
export function workflowMethods(
  context: SupervisorContext,
  fleet: Fleet,
  scheduler: Scheduler,
): WorkflowHandlers {
  const { store } = context;
  const checked = createCheckedDefinitions(store);
  return {
    'workflow.run': async (request) => {
      const { live, notices, problems } = await runWorkflow(context, fleet, request);
      return { id: live.row.id, notices, problems };
    },
    'workflow.list': async ({ caller }) => listWorkflows(await checked.list(), caller),
    'workflow.versions': async ({ name }) => {
      const rows = await store.call('version.list', { workflow: name });
      if (name !== null && rows.length === 0)
        throw new WorkflowError(
          'WORKFLOW_NOT_FOUND',
          `no workflow was ever registered as "${name}"${await nearRegistered(store, name)}`,
        );
      return rows.map(versionDocument);
    },
    'workflow.show': async ({ target, caller }) => {
      const source = await findWorkflow(store, target, caller);
      const { text } = await loadSource(source);
      return { ...(await summarise(source, target)), definition: JSON.parse(text) as Json };
    },
    'workflow.register': async ({ file, caller, env }) => {
      const source = await findWorkflow(store, file, caller);
      const loaded = await loadSource(source);
      const { workflow, problems, text, hash } = loaded;
      const { put, before } = await scheduler.change(workflow.name, async () => {
        const before = await store.call('registration.get', { name: workflow.name });
        const put = await store.call('registration.put', {
          row: {
            name: workflow.name,
            version: workflow.version,
            definitionHash: hash,
            source: source.file,
            registeredAt: context.now(),
            starter: { ...caller, env },
          },
          documents: { [hash]: text },
          schedule: workflow.triggers.some(({ type }) => type === 'schedule') ? 'has' : 'none',
          audit: {
            type: 'workflow.registered',
            at: context.now(),
            actor: personOf(caller),
            instance: null,
            data: {
              workflow: workflow.name,
              version: workflow.version,
              definition: hash,
              source: source.file,
            },
          },
        });
        return { put, before };
      });
      checked.note(loaded);
      const { name, version } = workflow;
      const isOther = before !== null && before.source !== source.file;
      const replaces = isOther ? { version: before.version, file: before.source } : null;
      return { name, version, number: put.number, is_new: put.isNew, replaces, problems };
    },
    'workflow.unregister': async ({ name, caller }) => {
      const { removed } = await scheduler.change(name, () =>
        store.call('registration.remove', {
          name,
          audit: {
            type: 'workflow.unregistered',
            at: context.now(),
            actor: personOf(caller),
            instance: null,
            data: { workflow: name },
          },
        }),
      );
      if (!removed)
        throw new WorkflowError(
          'WORKFLOW_NOT_FOUND',
          `no workflow is registered as "${name}"${await nearRegistered(store, name)}`,
        );
      return { name };
    },
  };
}

function versionDocument(row: VersionRow): VersionDocument {
  return {
    workflow: row.workflow,
    number: row.number,
    definition: row.definitionHash,
    version: row.version,
    file: row.source,
    registered_at: new Date(row.registeredAt).toISOString(),
    registered_by: row.registeredBy,
    is_current: row.isCurrent,
    runs: row.runs,
  };
}
