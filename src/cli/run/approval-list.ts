import type { ApprovalDocument } from '../../protocol/approval-control.ts';
import type { ListColumn } from '../text/list-flags.ts';
import { duration, mark, printable } from '../text/style.ts';
import { exact } from './approvals.ts';

/** In short. Who decides reads the long form, where nothing is cut. */
export const APPROVAL_COLUMNS: readonly ListColumn<ApprovalDocument>[] = [
  { name: 'instance', title: 'INSTANCE', isWhole: true, value: ({ instance }) => instance },
  { name: 'number', title: 'NO', align: 'right', value: ({ number }) => number },
  { name: 'workflow', title: 'WORKFLOW', value: ({ workflow }) => workflow },
  { name: 'step', title: 'STEP', value: ({ step }) => step, cell: ({ step }) => printable(step) },
  {
    name: 'status',
    title: 'STATUS',
    value: ({ status }) => status,
    cell: ({ status }, { style }) => `${mark(status === 'pending' ? 'waiting' : status, style)} ${status}`,
  },
  {
    name: 'requested',
    title: 'ASKED',
    value: ({ requested_at: requested }) => requested,
    isWhole: true,
    cell: ({ requested_at: requested }, { time }) => time(requested),
  },
  {
    name: 'expires',
    title: 'LEFT',
    isWhole: true,
    align: 'right',
    value: ({ expires_at: expires }) => expires,
    cell: ({ expires_at: expires, status }, { now }) =>
      status === 'pending' ? duration(Date.parse(expires) - now) : '',
  },
  { name: 'kind', value: ({ kind }) => kind },
  { name: 'agent', value: ({ agent }) => agent },
  { name: 'what', title: 'WHAT', value: ({ what }) => what, cell: ({ what }) => exact(what) },
  { name: 'decided_by', value: ({ decided }) => decided?.by ?? null },
];

/** What to say where nothing waits. */
export function noApprovals(isAll: boolean): string {
  return isAll
    ? 'Nothing had to be approved yet. Policies say what has to: q workflow policy explain --help'
    : 'Nothing waits for an approval. See what was decided: q workflow approvals --all';
}
