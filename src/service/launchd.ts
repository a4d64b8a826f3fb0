import { join } from 'node:path';
import { WorkflowError } from '../errors/workflow-error.ts';
import type { ServiceManager } from './manager.ts';
import { plistText } from './plist-text.ts';
import { mustRun, type RunTool } from './run-tool.ts';

/** An agent of launchd, for one user. Written after launchctl(1); never run by us on a Mac. */
export function launchdManager(
  label: string,
  userHome: string,
  uid: number,
  logFolder: string,
  run: RunTool,
): ServiceManager {
  const file = join(userHome, 'Library', 'LaunchAgents', `${label}.plist`);
  const domain = `gui/${uid}`;
  const target = `${domain}/${label}`;
  const logCommand = `tail -f ${join(logFolder, 'supervisor.log')}`;
  const control = (...words: readonly string[]): Promise<void> =>
    mustRun(run, ['launchctl', ...words], `Read its log: ${logCommand}`);
  const isActive = async (): Promise<boolean> => (await run('launchctl', ['print', target])).status === 0;
  const bootout = async (): Promise<void> => {
    if (await isActive()) await control('bootout', target);
  };
  return {
    name: 'launchd',
    scope: 'user',
    unit: label,
    file,
    logCommand,
    version: async () => {
      const { status, complaint } = await run('launchctl', ['print', domain]);
      if (status === 0) return 0;
      throw new WorkflowError(
        'SERVICE_UNAVAILABLE',
        `launchd has no session of user ${uid}: ${complaint || `exit status ${status}`}`,
      );
    },
    text: plistText,
    // A plist is read when it is bootstrapped, not before.
    load: async () => undefined,
    isActive,
    isEnabled: async () => {
      const { status, output } = await run('launchctl', ['print-disabled', domain]);
      if (status !== 0) return null;
      return !new RegExp(`"${label.replaceAll('.', '\\.')}" => (?:disabled|true)`).test(output);
    },
    enable: () => control('enable', target),
    start: async () => {
      if (!(await isActive())) await control('bootstrap', domain, file);
    },
    restart: async () => {
      await bootout();
      await control('bootstrap', domain, file);
    },
    stop: bootout,
    disable: async () => {
      await bootout();
      await control('disable', target);
    },
  };
}
