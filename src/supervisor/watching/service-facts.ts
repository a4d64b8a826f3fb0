import { ownUnit } from '../../../sandbox/systemd/own-cgroup.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import {
  DRAIN_DEFAULT_S,
  DRAIN_VARIABLE,
  ON_STOP,
  ON_STOP_VARIABLE,
  type OnStop,
  type ServiceFacts,
  UNIT_VARIABLE,
} from '../../protocol/service.ts';

/**
 * The service that the process `pid` is the main process of, or null when a person started it. Variables alone prove
 * nothing, as children inherit them: systemd gives the pid it means.
 */
export function serviceOf(env: NodeJS.ProcessEnv, pid: number): ServiceFacts | null {
  const named = unitNamed(env[UNIT_VARIABLE] ?? '');
  if (named !== null && env['XPC_SERVICE_NAME'] === named.unit) return { manager: 'launchd', ...named };
  // SYSTEMD_EXEC_PID came with systemd 248, WATCHDOG_PID is there with every watchdog.
  if (![env['SYSTEMD_EXEC_PID'], env['WATCHDOG_PID']].includes(String(pid))) return null;
  if (named !== null) return { manager: 'systemd', ...named };
  // A unit that somebody wrote by hand.
  const own = ownUnit();
  if (own === null || !own.name.endsWith('.service')) return null;
  return { manager: 'systemd', scope: own.isUsers ? 'user' : 'system', unit: own.name };
}

function unitNamed(value: string): Pick<ServiceFacts, 'scope' | 'unit'> | null {
  const [scope, unit = ''] = value.split('/');
  return unit === '' || (scope !== 'user' && scope !== 'system') ? null : { scope, unit };
}

export interface StopSettings {
  readonly onStop: OnStop;
  readonly drainMs: number;
}

/** What SIGTERM means, by the environment. Throws USAGE. */
export function stopSettings(env: NodeJS.ProcessEnv): StopSettings {
  const asked = env[ON_STOP_VARIABLE] || 'leave';
  const onStop = ON_STOP.find((each) => each === asked);
  if (onStop === undefined) throw wrong(ON_STOP_VARIABLE, asked, ON_STOP.join(', '));
  const given = env[DRAIN_VARIABLE] || String(DRAIN_DEFAULT_S);
  const seconds = Number(given);
  if (!(seconds >= 0 && seconds <= 86_400)) throw wrong(DRAIN_VARIABLE, given, '0 to 86400');
  return { onStop, drainMs: seconds * 1000 };
}

function wrong(name: string, value: string, allowed: string): WorkflowError {
  return new WorkflowError('USAGE', `${name} is "${value}"; allowed: ${allowed}`, {
    hint: 'Mend or unset the variable.',
  });
}
