import { join } from 'node:path';
import { homeKey } from '../../sandbox/choose.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { type Home, locateHome, SYSTEM_HOME } from '../protocol/home.ts';
import { launchdManager } from './launchd.ts';
import type { ServiceManager } from './manager.ts';
import type { RunTool } from './run-tool.ts';
import type { Scope } from './spec.ts';
import { systemdManager } from './systemd.ts';

export interface Place {
  readonly platform: NodeJS.Platform;
  readonly uid: number;
  readonly env: NodeJS.ProcessEnv;
  readonly run: RunTool;
}

/** The home that a service of this scope is for: the one that is named, else the usual one. */
export function serviceHome(scope: Scope, env: NodeJS.ProcessEnv): Home {
  const named = env['Q_WORKFLOW_HOME'] || (scope === 'system' ? SYSTEM_HOME : '');
  return locateHome(named === '' ? env : { ...env, Q_WORKFLOW_HOME: named });
}

/** The scope that is meant: the one asked for, else that of root or of a user. Throws USAGE. */
export function serviceScope(asked: Scope | null, { platform, uid }: Place): Scope {
  const scope = asked ?? (uid === 0 && platform === 'linux' ? 'system' : 'user');
  if (platform !== 'linux' && scope === 'system')
    throw new WorkflowError('USAGE', 'a service of the whole machine is written on Linux only', {
      hint: 'Install one for your user: q workflow supervisor install --user.',
    });
  if (scope === 'system' && uid !== 0)
    throw new WorkflowError('USAGE', 'only root can install a service of the whole machine', {
      hint: 'Run it as root, or install one for your user: q workflow supervisor install --user.',
    });
  if (scope === 'user' && uid === 0)
    throw new WorkflowError('USAGE', 'the service of root is one of the whole machine', {
      hint: 'Give --system, or run it as the user whose service it shall be.',
    });
  return scope;
}

/** The manager of this machine, for the service of that home. Throws SERVICE_UNAVAILABLE on other systems. */
export function managerFor(scope: Scope, home: Home, { platform, uid, env, run }: Place): ServiceManager {
  const userHome = env['HOME'] ?? '';
  const usual = scope === 'system' ? SYSTEM_HOME : join(userHome, '.local', 'state', 'q-workflow');
  // A name for each home: the service of one is never that of another.
  const suffix = home.folder === usual ? '' : `-${homeKey(home.folder)}`;
  if (platform === 'linux') return systemdManager(scope, `q-workflow${suffix}.service`, env, run);
  if (platform === 'darwin')
    return launchdManager(`q-workflow.supervisor${suffix}`, userHome, uid, home.logFolder, run);
  throw new WorkflowError('SERVICE_UNAVAILABLE', `no service manager of ${platform} is known`);
}
