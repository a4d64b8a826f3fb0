/** Steps of a run as a watcher hears of them. */
import type { StepDocument } from '../../../src/protocol/control.ts';

export const BEGIN = Date.parse('2026-03-01T12:00:00.000Z');

/** `started` and `ended` in ms after BEGIN. */
export function step(
  path: string,
  status: StepDocument['status'],
  more: Partial<Omit<StepDocument, 'started_at' | 'ended_at'>> & {
    readonly started?: number | null;
    readonly ended?: number | null;
  } = {},
): StepDocument {
  const { started = status === 'pending' || status === 'skipped' ? null : 0, ended, ...rest } = more;
  const isOver = !['pending', 'running', 'waiting'].includes(status);
  const end = ended === undefined ? (isOver && started !== null ? started + 1000 : null) : ended;
  return {
    path,
    id: path.replace(/^.*[/!]/, ''),
    type: 'skill',
    status,
    attempts: status === 'pending' ? 0 : 1,
    started_at: started === null ? null : new Date(BEGIN + started).toISOString(),
    ended_at: end === null ? null : new Date(BEGIN + end).toISOString(),
    outputs: null,
    error: null,
    approvals: [],
    ...rest,
  };
}
