import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Agent } from '../../agents/files/agent.ts';
import { resolveKeys } from '../../agents/model/keys.ts';
import { ensureError, systemCode } from '../../errors/workflow-error.ts';
import { AGENT_PROFILES } from '../../protocol/agent-profiles.ts';
import { type Home, unusable } from '../../protocol/home.ts';
import type { Bootstrap } from '../../protocol/instance-link.ts';
import { hasEnded } from '../../store/tables/instance-rows.ts';
import type { SupervisorContext } from '../context.ts';
import type { Pins } from './pins.ts';

/** No step can name it: a name of a secret begins with no dot. */
const PREFIX = '.model-keys-';
/** While it is written; a crash may leave it, before there is a run. */
const UNFINISHED = '.tmp';

/**
 * Keeps the variables that models and agents of a run take their keys from, in a file of its own beside the secrets (0600), until
 * the run ends: it must go on when supervisor and caller are gone. Never in the database. Throws STORE_FULL or
 * HOME_UNWRITABLE.
 */
export function keepKeys(
  { secretsFolder, ...home }: Home,
  id: string,
  env: Readonly<Record<string, string>>,
): void {
  if (Object.keys(env).length === 0) return;
  const file = join(secretsFolder, `${PREFIX}${id}`);
  try {
    writeFileSync(`${file}${UNFINISHED}`, JSON.stringify(env), { mode: 0o600, flush: true });
    renameSync(`${file}${UNFINISHED}`, file);
  } catch (error) {
    throw unusable({ secretsFolder, ...home }, error);
  }
}

/** What is kept for a run; empty when nothing is. */
function readKeys({ secretsFolder }: Home, id: string): Readonly<Record<string, string>> {
  try {
    // We wrote it.
    return JSON.parse(readFileSync(join(secretsFolder, `${PREFIX}${id}`), 'utf8')) as Record<string, string>;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {};
    throw error;
  }
}

/**
 * What the process of a run is given of what was kept: its models with their keys, as they are now (one without them
 * says why), and the variables of its agents' programs.
 */
export function bootKeys(
  home: Home,
  id: string,
  { models, agents }: Pick<Pins, 'models' | 'agents'>,
): Pick<Bootstrap, 'models' | 'agentVariables'> {
  const others = Object.entries(agents).filter(([, { driver }]) => driver !== undefined);
  const isNeeded = others.length > 0 || Object.keys(models).length > 0;
  const env = isNeeded ? readKeys(home, id) : {};
  return {
    models: bootModels(home, models, env),
    agentVariables: Object.fromEntries(others.map(([name, agent]) => [name, variablesOf(agent, env)])),
  };
}

function bootModels(
  home: Home,
  models: Pins['models'],
  env: Readonly<Record<string, string>>,
): Bootstrap['models'] {
  return Object.fromEntries(
    Object.entries(models).map(([subject, spec]) => {
      try {
        return [subject, { spec, keys: resolveKeys(spec, env, home.secretsFolder), problem: null }];
      } catch (error) {
        return [subject, { spec, keys: {}, problem: ensureError(error).message }];
      }
    }),
  );
}

/** Of the caller's variables those that the programs of these agents are given: keys and addresses of their makers. */
export function agentVariables(
  agents: Pins['agents'],
  env: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.assign({}, ...Object.values(agents).map((agent) => variablesOf(agent, env)));
}

function variablesOf({ driver }: Agent, env: Readonly<Record<string, string>>): Record<string, string> {
  if (driver === undefined) return {};
  const names: readonly string[] = AGENT_PROFILES[driver.profile].variables;
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.includes(name)));
}

/** Removes what was kept for a run that has ended; a failure is logged and tried at the next start. */
export function forgetKeys({ home, log }: SupervisorContext, id: string): void {
  const file = join(home.secretsFolder, `${PREFIX}${id}`);
  try {
    for (const name of [file, `${file}${UNFINISHED}`]) rmSync(name, { force: true });
  } catch (error) {
    log.error('the kept keys of an instance could not be removed', {
      instance: id,
      cause: ensureError(error).message,
    });
  }
}

/** Removes what runs left that ended while no supervisor was there. */
export async function sweepKeys(context: SupervisorContext): Promise<void> {
  const ids = readdirSync(context.home.secretsFolder)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => basename(name.slice(PREFIX.length), UNFINISHED));
  for (const id of ids) {
    const row = await context.store.call('instance.get', { id });
    if (row === null || hasEnded(row.status)) forgetKeys(context, id);
  }
}
