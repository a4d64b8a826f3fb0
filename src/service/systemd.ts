import { join } from 'node:path';
import { WorkflowError } from '../errors/workflow-error.ts';
import type { ServiceManager } from './manager.ts';
import { mustRun, type RunTool } from './run-tool.ts';
import type { Scope } from './spec.ts';
import { unitText } from './unit-text.ts';

/** How long a start, with taking over what runs, is waited for. The unit itself allows more. */
const START_WAIT_MS = 180_000;
/** As execFile has it. */
const NO_LIMIT = 0;
const SYSTEM_FOLDER = '/etc/systemd/system';

export function systemdManager(
  scope: Scope,
  unit: string,
  env: NodeJS.ProcessEnv,
  run: RunTool,
): ServiceManager {
  const whose = scope === 'user' ? ['--user'] : [];
  const config = env['XDG_CONFIG_HOME'] || join(env['HOME'] ?? '', '.config');
  const logCommand = ['journalctl', ...whose, '-u', unit].join(' ');
  const bounded = (waitMs: number, words: readonly string[]): Promise<void> =>
    mustRun(run, ['systemctl', ...whose, ...words], `Read its log: ${logCommand} -e`, waitMs);
  const control = (...words: readonly string[]): Promise<void> => bounded(START_WAIT_MS, words);
  /** systemd itself bounds it, by the unit's TimeoutStopSec: one that drains may have hours. */
  const controlStop = (...words: readonly string[]): Promise<void> => bounded(NO_LIMIT, words);
  const ask = (...words: readonly string[]) => run('systemctl', [...whose, ...words]);
  return {
    name: 'systemd',
    scope,
    unit,
    file: join(scope === 'system' ? SYSTEM_FOLDER : join(config, 'systemd', 'user'), unit),
    logCommand,
    version: async () => {
      const { status, output, complaint } = await ask('show', '--property=Version', '--value');
      if (status !== 0)
        throw new WorkflowError(
          'SERVICE_UNAVAILABLE',
          `systemd of ${scope === 'system' ? 'the machine' : 'the user'} does not answer: ${complaint || `exit status ${status}`}`,
        );
      return Number.parseInt(output, 10) || 0;
    },
    text: unitText,
    load: () => control('daemon-reload'),
    isActive: async () => {
      const { output } = await ask('is-active', unit);
      return ['active', 'activating', 'reloading'].includes(output);
    },
    isEnabled: async () => {
      const { output } = await ask('is-enabled', unit);
      return output === '' ? null : output === 'enabled';
    },
    enable: () => control('enable', unit),
    start: () => control('start', unit),
    restart: () => controlStop('restart', unit),
    stop: () => controlStop('stop', unit),
    disable: async () => {
      await controlStop('disable', '--now', unit);
      // A failed one would be listed for ever; one that did not fail has nothing to forget, and says so.
      await ask('reset-failed', unit);
    },
  };
}
