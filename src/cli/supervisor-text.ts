import type { SupervisorStatus } from '../protocol/control.ts';
import { bytes, duration, styleFor } from './style.ts';
import type { ShownService, ShownStatus } from './supervisor-service.ts';

export function supervisorLine(status: SupervisorStatus): string {
  return [
    `supervisor ${status.pid} runs, limits by ${status.isolation.backend}, home ${status.home}`,
    `audit log signed by ${status.audit.key}, anchor ${status.audit.anchor}`,
  ].join('\n');
}

export function supervisorText(status: ShownStatus, now: number): string {
  const style = styleFor(process.stdout);
  const { isolation } = status;
  const counts = Object.entries(status.instances);
  return [
    `${style.bold('supervisor')} ${status.version}  pid ${status.pid}, up ${duration(now - Date.parse(status.started_at))}, memory ${bytes(status.memory_bytes)}`,
    `  home       ${status.home}`,
    ...(status.service === null ? [] : [`  service    ${serviceText(status.service)}`]),
    `  isolation  ${isolation.backend}: enforced ${isolation.enforced.join(', ') || 'nothing'}; observed ${isolation.observed.join(', ') || 'nothing'}`,
    ...status.missing.map((line) => `  ${style.yellow('!')} ${line}`),
    `  instances  ${counts.length === 0 ? 'none' : counts.map(([state, count]) => `${count} ${state}`).join(', ')}`,
    `  audit      ${status.audit.key}, anchor ${status.audit.anchor}`,
    ...status.queue.map((entry) => `  queued     ${entry.id} waits for ${entry.waits_for}`),
  ].join('\n');
}

function serviceText({ manager, scope, unit, enabled }: ShownService): string {
  const comes = { true: 'enabled', false: 'not enabled', null: 'enabled or not: nobody says' }[`${enabled}`];
  return `${unit} (${manager}, ${scope}), ${comes}`;
}
