import type { Problem } from '../../errors/workflow-error.ts';
import type { WorkflowFile } from '../file.ts';
import { append } from '../json-path.ts';
import { errorAt, unknownName, warningAt } from './problem.ts';

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/;

/** Cron expressions and time zones of schedules. The cron package is loaded only when there is a schedule. */
export async function checkTriggers(file: WorkflowFile): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const [index, trigger] of (file.triggers ?? []).entries()) {
    if (trigger.type !== 'schedule') continue;
    const path = `$.triggers[${index}]`;
    const { cronFault, neverFires } = await import('../cron.ts');
    const fault = cronFault(trigger.cron);
    if (fault !== null)
      problems.push(errorAt(`${path}.cron`, `"${trigger.cron}" is not a cron expression: ${fault}`));
    else if (neverFires(trigger.cron))
      problems.push(warningAt(`${path}.cron`, 'no month of it has such a day: it never fires'));
    for (const bound of ['start_at', 'end_at'] as const) {
      const given = trigger[bound];
      if (given !== undefined && !isInstant(given))
        problems.push(
          errorAt(
            `${path}.${bound}`,
            `"${given}" is no instant with an offset, such as 2026-12-01T00:00:00Z`,
          ),
        );
    }
    const { start_at: start, end_at: end } = trigger;
    if (start !== undefined && end !== undefined && Date.parse(end) < Date.parse(start))
      problems.push(warningAt(`${path}.end_at`, 'it is before start_at: the schedule never fires'));
    const zone = trigger.timezone ?? 'UTC';
    if (!isTimeZone(zone)) {
      const known = Intl.supportedValuesOf('timeZone');
      problems.push(unknownName(`${path}.timezone`, `"${zone}" is not an IANA time zone`, zone, known));
    }
  }
  return [...problems, ...checkInputs(file)];
}

/** Of the shape, and a day that there is: Date reads 30 February as 2 March, and a month 13 as no time at all. */
function isInstant(text: string): boolean {
  if (!INSTANT.test(text) || Number.isNaN(Date.parse(text))) return false;
  const date = text.slice(0, 10);
  return new Date(date).toISOString().startsWith(date);
}

/** Nobody is there to give an input when a schedule fires. */
function checkInputs({ triggers = [], inputs = {} }: WorkflowFile): Problem[] {
  if (!triggers.some(({ type }) => type === 'schedule')) return [];
  return Object.entries(inputs)
    .filter(([, { required, default: given }]) => required === true && given === undefined)
    .map(([name]) =>
      warningAt(
        append('$.inputs', name),
        'it is required and has no default: a fire of the schedule gives it no value, and fails',
      ),
    );
}

/** Names that were found good: each asking makes a formatter. There are some 600, in any case of their letters. */
const zones = new Set<string>(['UTC']);
const MAX_ZONES = 2000;

function isTimeZone(zone: string): boolean {
  if (zones.has(zone)) return true;
  try {
    if (new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone === '') return false;
    if (zones.size < MAX_ZONES) zones.add(zone);
    return true;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return false;
  }
}
