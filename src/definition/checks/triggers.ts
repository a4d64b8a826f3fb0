import type { Problem } from '../../errors/workflow-error.ts';
import type { WorkflowFile } from '../file.ts';
import { errorAt, unknownName } from './problem.ts';

/** Cron expressions and time zones of schedules. The cron package is loaded only when there is a schedule. */
export async function checkTriggers(file: WorkflowFile): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const [index, trigger] of (file.triggers ?? []).entries()) {
    if (trigger.type !== 'schedule') continue;
    const path = `$.triggers[${index}]`;
    const { validateCronExpression } = await import('cron');
    const { valid, error } = validateCronExpression(trigger.cron);
    if (!valid) {
      const reason = error === undefined ? '' : `: ${error.message}`;
      problems.push(errorAt(`${path}.cron`, `"${trigger.cron}" is not a cron expression${reason}`));
    }
    const zone = trigger.timezone ?? 'UTC';
    if (!isTimeZone(zone)) {
      const known = Intl.supportedValuesOf('timeZone');
      problems.push(unknownName(`${path}.timezone`, `"${zone}" is not an IANA time zone`, zone, known));
    }
  }
  return problems;
}

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return false;
  }
}
