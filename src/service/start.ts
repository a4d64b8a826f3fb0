import type { ServiceFacts } from '../protocol/service.ts';
import { launchdManager } from './launchd.ts';
import type { ServiceManager } from './manager.ts';
import { runTool } from './run-tool.ts';
import type { ServiceMark } from './service-mark.ts';
import { systemdManager } from './systemd.ts';

/** Starts the supervisor where it belongs, as a service. Throws SERVICE_FAILED. */
export async function startService(mark: ServiceMark): Promise<void> {
  await managerOf(mark).start();
}

/** Keeps the manager from starting one again that was told to leave. */
export async function stopService(facts: ServiceFacts): Promise<void> {
  await managerOf(facts).stop();
}

/** Whether it comes back after a boot or login; null when nobody says. */
export async function isServiceEnabled(facts: ServiceFacts): Promise<boolean | null> {
  return await managerOf(facts).isEnabled();
}

function managerOf({ manager, scope, unit }: ServiceFacts): ServiceManager {
  const { env } = process;
  if (manager === 'systemd') return systemdManager(scope, unit, env, runTool);
  return launchdManager(unit, env['HOME'] ?? '', process.getuid?.() ?? 0, '', runTool);
}
