import { WorkflowError } from '../../errors/workflow-error.ts';

/** `90s`, `10m`, `2h`, `1d` before now, or a time that Date reads; UTC ms. Throws USAGE for anything else. */
export function parseMoment(flag: string, text: string, now: number): number {
  const match = /^(\d+)([smhd])$/.exec(text);
  const unit = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? ''];
  if (match !== null && unit !== undefined) return now - Number(match[1]) * unit;
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new WorkflowError(
      'USAGE',
      `${flag} takes 90s, 10m, 2h, 1d or a time, and "${text}" is none of these`,
    );
  return time;
}
