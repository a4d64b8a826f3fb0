import { connect } from '../../client/client.ts';
import { ensureWorkflowError } from '../../errors/workflow-error.ts';
import type { SupervisorStatus } from '../../protocol/control.ts';
import type { Home } from '../../protocol/home.ts';
import type { OnStop } from '../../protocol/service.ts';
import type { InstallDocument } from '../../service/install.ts';
import type { ServiceManager } from '../../service/manager.ts';
import type { UninstallDocument } from '../../service/uninstall.ts';
import { userName } from '../health/health.ts';
import { plural, styleFor } from '../text/style.ts';

export interface ServiceFlags {
  readonly scope: 'user' | 'system' | null;
  readonly mode: 'do' | 'dry_run';
}

/** Installs the supervisor of this caller's home as a service, with the advice that belongs to it. */
export async function installHere(
  { scope, mode }: ServiceFlags,
  onStop: OnStop,
  drainSeconds: number,
): Promise<InstallDocument> {
  const { installService } = await import('../../service/install.ts');
  const { home, manager } = await placeOf(scope);
  const look = () => lookAt(home);
  const env = process.env;
  const document = await installService({ home, manager, env, onStop, drainSeconds, mode, look });
  return { ...document, notices: [...document.notices, ...(await lingeringAdvice(manager))] };
}

export async function uninstallHere(
  { scope, mode }: ServiceFlags,
  data: 'keep' | 'purge',
): Promise<UninstallDocument> {
  const { uninstallService } = await import('../../service/uninstall.ts');
  return await uninstallService({ ...(await placeOf(scope)), data, mode });
}

export function installText(document: InstallDocument): string {
  const style = styleFor(process.stdout);
  const { change, unit, file, home, pid, log, notices, text } = document;
  const hints = notices.map((notice) => `${style.yellow('!')} ${notice}`);
  if (document.is_dry_run)
    return [
      `# would be ${change === 'none' ? 'left as it is' : change}: ${file}`,
      text.trimEnd(),
      ...hints,
    ].join('\n');
  const done = { created: 'installed', replaced: 'installed anew', none: 'was installed already' }[change];
  return [
    `${style.green('✓')} ${unit} ${done} and is ready: supervisor ${pid}, home ${home}`,
    `  unit  ${file}`,
    `  log   ${log}`,
    ...hints,
  ].join('\n');
}

export function uninstallText(document: UninstallDocument): string {
  const { unit, home, is_dry_run, is_purged, left_running, kept } = document;
  if (is_dry_run) return `would stop and remove ${unit} (${document.file}); ${home} would stay`;
  const data = is_purged ? `the data in ${home} is gone` : `the data stays in ${home}`;
  return [
    `${unit} is stopped and removed; ${data}`,
    ...(left_running === 0
      ? []
      : [`${plural(left_running, 'instance')} not ended: the next supervisor takes over what runs on alone`]),
    ...kept.map((name) => `not ours, and so still there: ${home}/${name}`),
  ].join('\n');
}

async function placeOf(asked: ServiceFlags['scope']): Promise<{ home: Home; manager: ServiceManager }> {
  const { managerFor, serviceHome, serviceScope } = await import('../../service/choose-manager.ts');
  const { runTool } = await import('../../service/run-tool.ts');
  const { env, platform } = process;
  const place = { platform, uid: process.getuid?.() ?? 0, env, run: runTool };
  const scope = serviceScope(asked, place);
  const home = serviceHome(scope, env);
  return { home, manager: managerFor(scope, home, place) };
}

/** What the supervisor says of itself; null when none answers. */
async function lookAt(home: Home): Promise<SupervisorStatus | null> {
  try {
    const client = await connect(home, 'must_run');
    try {
      return await client.call('supervisor.status', {});
    } finally {
      client.close();
    }
  } catch (error) {
    if (ensureWorkflowError(error).code !== 'SUPERVISOR_UNREACHABLE') throw error;
    return null;
  }
}

async function lingeringAdvice(manager: ServiceManager): Promise<string[]> {
  if (manager.name !== 'systemd' || manager.scope !== 'user') return [];
  const { describeLingering } = await import('../../../sandbox/describe.ts');
  const row = describeLingering(userName());
  return row === null || row.ok ? [] : [`${row.detail}: ${row.fix}`];
}
