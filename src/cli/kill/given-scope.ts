import { type Client, connect } from '../../client/client.ts';
import { didYouMean, nearest } from '../../errors/nearest.ts';
import { ensureWorkflowError, WorkflowError } from '../../errors/workflow-error.ts';
import { type KillScope, parseKillScope } from '../../guard/kill/kill-scope.ts';
import type { Caller } from '../../protocol/caller.ts';
import type { Home } from '../../protocol/home.ts';
import { namesIn } from '../../protocol/names-in.ts';

const ID_LENGTH = 10;
const ANSWER_DEADLINE_MS = 2000;

/**
 * The scope as a person gave it, with the whole id of an instance for a prefix of it or `latest`: under a part of an id
 * a switch would cover nothing. Asks nobody where the id is whole. Throws USAGE, INSTANCE_NOT_FOUND and
 * INSTANCE_AMBIGUOUS.
 */
export async function fullScope(home: Home, given: string): Promise<KillScope> {
  const scope = parseKillScope(given);
  const [, kind = '', id = '', rest = ''] = /^(instance:|step:)([^/]+)(.*)$/.exec(scope) ?? [];
  if (id === '' || id.length >= ID_LENGTH) return scope;
  try {
    const found = await asked(home, (client) => client.call('instance.logs', { id }));
    return `${kind}${found.id}${rest}`;
  } catch (error) {
    if (ensureWorkflowError(error).code !== 'SUPERVISOR_UNREACHABLE') throw error;
    return `${kind}${id === 'latest' ? await onlyRunning(home) : byFolder(home, id)}${rest}`;
  }
}

/** What to say when a switch has ended nothing, and no workflow of its name is found from here; null when one is. */
export async function unknownWorkflow(home: Home, scope: KillScope, caller: Caller): Promise<string | null> {
  const [kind, name = ''] = scope.split(':');
  if (kind !== 'workflow') return null;
  try {
    const listed = await asked(home, (client) => client.call('workflow.list', { caller }));
    const names = listed.map((each) => each.name);
    if (names.includes(name)) return null;
    return `no workflow is called "${name}" here${didYouMean(nearest(name, names))}`;
  } catch (error) {
    // The switch is tripped: that nobody can say more does not make it a failure.
    if (ensureWorkflowError(error).code !== 'SUPERVISOR_UNREACHABLE') throw error;
    return null;
  }
}

/** Nobody here can tell which one is the newest: it is taken where no other can be meant, else the person chooses. */
async function onlyRunning(home: Home): Promise<string> {
  const { stillRunning } = await import('./kill-directly.ts');
  const ids = (await stillRunning(home, ['global'])).map(({ id }) => id);
  const [only] = ids;
  if (only !== undefined && ids.length === 1) return only;
  throw new WorkflowError(
    only === undefined ? 'INSTANCE_NOT_FOUND' : 'INSTANCE_AMBIGUOUS',
    only === undefined
      ? 'no supervisor answers, and no instance has processes: nothing is tripped'
      : `no supervisor answers to say which is the latest of ${ids.join(', ')}: nothing is tripped`,
    {
      hint:
        only === undefined
          ? 'Start one: q workflow supervisor start.'
          : 'Name one of them, or workflow:NAME, or global.',
    },
  );
}

/** What has run has a folder, also where no supervisor answers. */
function byFolder(home: Home, prefix: string): string {
  const found = namesIn(home.instancesFolder).filter((name) => name.startsWith(prefix));
  const [id] = found;
  if (id !== undefined && found.length === 1) return id;
  throw new WorkflowError(
    id === undefined ? 'INSTANCE_NOT_FOUND' : 'INSTANCE_AMBIGUOUS',
    id === undefined
      ? `no supervisor answers, and the folder of no instance begins with "${prefix}": nothing is tripped`
      : `several ids begin with "${prefix}": ${found.join(', ')}; nothing is tripped`,
  );
}

async function asked<T>(home: Home, ask: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(home, 'must_run', { answerDeadlineMs: ANSWER_DEADLINE_MS });
  try {
    return await ask(client);
  } finally {
    client.close();
  }
}
