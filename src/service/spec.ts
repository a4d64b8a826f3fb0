import type { Home } from '../protocol/home.ts';
import {
  DRAIN_VARIABLE,
  ENVIRONMENT_VARIABLE,
  ON_STOP_VARIABLE,
  type OnStop,
  UNIT_VARIABLE,
} from '../protocol/service.ts';
import { UPKEEP_VARIABLES } from '../protocol/upkeep-settings.ts';

export type Scope = 'system' | 'user';

/** All that the text of a unit or plist depends on. */
export interface ServiceSpec {
  readonly scope: Scope;
  /** `q-workflow.service`, or launchd's label. */
  readonly unit: string;
  readonly home: Home;
  /** The program and its words. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly onStop: OnStop;
  readonly drainSeconds: number;
  /** systemd-notify is there: readiness and watchdog work. */
  readonly canNotify: boolean;
  /** Of systemd; 0 where it is launchd. */
  readonly managerVersion: number;
}

/** The first line of every file that we write, and the only ones that we replace or remove. */
export const MARK = 'Written by q workflow supervisor install; changes are lost at the next one.';

/** Variables of the caller that a service takes over. None of them is a secret; models and keys come with each run. */
const TAKEN_OVER = [
  'HOME',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'Q_WORKFLOW_ISOLATION',
  'Q_WORKFLOW_ANCHOR',
  'Q_WORKFLOW_SYSLOG',
  ENVIRONMENT_VARIABLE,
  ...UPKEEP_VARIABLES,
  'TZ',
];
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The environment of the service; the one of its caller counts by the list above only. */
export function serviceEnvironment(
  env: NodeJS.ProcessEnv,
  spec: Pick<ServiceSpec, 'scope' | 'unit' | 'onStop' | 'drainSeconds'> & { readonly home: string },
): Record<string, string> {
  const taken = TAKEN_OVER.flatMap((name) => {
    const value = env[name];
    return value === undefined || value === '' ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(taken),
    PATH: spec.scope === 'system' ? SYSTEM_PATH : searchPath(env['PATH'] ?? ''),
    Q_WORKFLOW_HOME: spec.home,
    [UNIT_VARIABLE]: `${spec.scope}/${spec.unit}`,
    [ON_STOP_VARIABLE]: spec.onStop,
    ...(spec.onStop === 'drain' ? { [DRAIN_VARIABLE]: String(spec.drainSeconds) } : {}),
  };
}

/** The folders of a PATH that mean the same to a service, and those of the system after them. */
function searchPath(path: string): string {
  const folders = path
    .split(':')
    .filter((folder) => folder.startsWith('/') && !folder.endsWith('/node_modules/.bin'));
  return [...new Set([...folders, ...SYSTEM_PATH.split(':')])].join(':');
}
