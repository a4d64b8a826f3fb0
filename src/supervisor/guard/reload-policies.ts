import { type AuditActor, type AuditEntry, SUPERVISOR } from '../../audit/record.ts';
import { ensureError } from '../../errors/workflow-error.ts';
import { type LoadedSet, loadPolicySet, type SetPlaces } from '../../guard/policy/files/load-set.ts';
import type { PolicyReload } from '../../protocol/guard-documents.ts';
import type { SupervisorContext } from '../context.ts';
import type { ControlHandlers } from '../control-server.ts';
import { personOf } from '../definitions/run-workflow.ts';
import { hasProcess } from '../lifecycle/ends.ts';
import type { Fleet } from '../lifecycle/fleet.ts';
import { createTurns } from '../turns.ts';
import { placesIn, type Renewal, renewPolicies } from './run-policies.ts';

type Lives = Pick<Fleet, 'all'>;

export interface PolicyReloads {
  readonly methods: Pick<ControlHandlers, 'policy.reload'>;
  /** The same for a signal, whose sender hears nothing: the outcome goes to the log. Never rejects. */
  bySignal(): Promise<void>;
  /** Files that could not be used when they were read last, each with why, in a line. */
  problems(): string[];
}

export function createPolicyReloads(context: SupervisorContext, fleet: Lives): PolicyReloads {
  const { home, log } = context;
  // Two reloads at once would each swap what the other had read.
  const turns = createTurns();
  let unusable: PolicyReload['unusable'] = [];

  const reload = async (actor: AuditActor, asker: SetPlaces): Promise<PolicyReload> => {
    const document = await turns(() => reloadPolicies(context, fleet, actor, asker));
    ({ unusable } = document);
    for (const { file, layer, message } of unusable)
      log.error('a policy file cannot be used, its layer denies everything', { file, layer, cause: message });
    return document;
  };

  return {
    methods: {
      'policy.reload': ({ caller }) => {
        const { workspace, configHome } = caller;
        return reload(personOf(caller), { workspace, configHome, state: home.folder });
      },
    },
    bySignal: async () => {
      try {
        const { runs } = await reload(SUPERVISOR, placesIn(home, home.folder, process.env));
        const changed = runs.filter((run) => run.is_changed).map(({ id }) => id);
        log.info('policies were read anew', { runs: runs.length, changed });
      } catch (error) {
        log.error('policies could not be read anew, the old ones hold', {
          cause: ensureError(error).message,
        });
      }
    },
    problems: () =>
      unusable.map(
        ({ file, layer, message }) =>
          `${file} cannot be used: the layer ${layer} denies everything. ${message}`,
      ),
  };
}

/**
 * Reads the policies of all runs that have a process anew. First everything is read, then recorded, then swapped for
 * all at once: where the record cannot be written, the old ones hold on. Runs without a process read them when they
 * get one; that a file of who asks cannot be used is told now, also where nothing runs.
 */
async function reloadPolicies(
  context: SupervisorContext,
  fleet: Lives,
  actor: AuditActor,
  asker: SetPlaces,
): Promise<PolicyReload> {
  const read = readOnce();
  const own = await read(asker);
  const lives = fleet.all().filter(hasProcess);
  const renewals = await Promise.all(
    lives.map(async (live) => ({
      id: live.row.id,
      workflow: live.row.workflow,
      renewal: await renewPolicies(context, live, read),
    })),
  );
  const document = documentOf(own, renewals);
  await context.store.call('audit.append', { entries: entriesOf(document, actor, context.now()) });
  for (const { renewal } of renewals) renewal.apply();
  return document;
}

interface RunRenewal {
  readonly id: string;
  readonly workflow: string;
  readonly renewal: Renewal;
}

/** Most runs share their files. */
function readOnce(): (places: SetPlaces) => Promise<LoadedSet> {
  const read = new Map<string, Promise<LoadedSet>>();
  return (places) => {
    const key = JSON.stringify([places.workspace, places.configHome]);
    const loaded = read.get(key) ?? loadPolicySet(places);
    read.set(key, loaded);
    return loaded;
  };
}

function documentOf(own: LoadedSet, renewals: readonly RunRenewal[]): PolicyReload {
  const unusable = new Map<string, PolicyReload['unusable'][number]>();
  for (const { files } of [own, ...renewals.map(({ renewal }) => renewal.loaded)])
    for (const { policy } of files)
      if (policy.fault !== null && policy.file !== null)
        unusable.set(policy.file, { file: policy.file, layer: policy.layer, message: policy.fault });
  return {
    runs: renewals.map(({ id, workflow, renewal: { oldHash, loaded } }) => ({
      id,
      workflow,
      old_hash: oldHash,
      new_hash: loaded.set.hash,
      is_changed: oldHash !== null && oldHash !== loaded.set.hash,
    })),
    unusable: [...unusable.values()],
  };
}

/** One record of the reload as such, and one for each run that it means something to. */
function entriesOf({ runs, unusable }: PolicyReload, actor: AuditActor, at: number): AuditEntry[] {
  const changed = runs.filter((run) => run.is_changed);
  const base = { type: 'policy.reloaded', at, actor } as const;
  return [
    { ...base, instance: null, data: { runs: runs.length, changed: changed.length, unusable } },
    ...changed.map(({ id, old_hash, new_hash }) => ({ ...base, instance: id, data: { old_hash, new_hash } })),
  ];
}
