import type { InstanceSummary } from '../../protocol/control.ts';
import type { VersionDocument, WorkflowSummary } from '../../protocol/workflow-control.ts';
import type { ListColumn } from './list-flags.ts';
import { duration, mark, plural, printable } from './style.ts';

export const WORKFLOW_COLUMNS: readonly ListColumn<WorkflowSummary>[] = [
  {
    name: 'name',
    title: 'NAME',
    value: ({ name }) => name,
    cell: ({ name, is_valid: isValid }, { style }) =>
      isValid ? printable(name) : style.red(printable(name)),
  },
  {
    name: 'version',
    title: 'VERSION',
    value: ({ version }) => version,
    cell: ({ version }) => version || '–',
  },
  { name: 'source', title: 'FROM', value: ({ source }) => source },
  { name: 'status', value: ({ is_valid: isValid }) => (isValid ? 'valid' : 'invalid') },
  {
    name: 'description',
    title: 'DESCRIPTION',
    value: ({ description }) => description,
    cell: ({ is_valid: isValid, description, problems, file }, { style }) =>
      isValid
        ? printable(description)
        : style.red(`${plural(problems.length, 'problem')}: q workflow validate ${file}`),
  },
  { name: 'file', value: ({ file }) => file },
];

export const VERSION_COLUMNS: readonly ListColumn<VersionDocument>[] = [
  { name: 'workflow', value: ({ workflow }) => workflow },
  { name: 'number', value: ({ number }) => number },
  {
    name: 'address',
    title: 'WORKFLOW',
    value: ({ workflow, number }) => `${workflow}@${number}`,
    cell: ({ workflow, number, is_current: isCurrent }, { style }) =>
      isCurrent ? style.bold(`${workflow}@${number}`) : `${workflow}@${number}`,
  },
  {
    name: 'version',
    title: 'VERSION',
    value: ({ version }) => version,
    cell: ({ version }) => printable(version),
  },
  { name: 'current', title: 'NOW', value: ({ is_current: isCurrent }) => (isCurrent ? 'current' : '') },
  {
    name: 'definition',
    title: 'HASH',
    value: ({ definition }) => definition,
    cell: ({ definition }) => definition.slice(0, 8),
  },
  { name: 'runs', title: 'RUNS', align: 'right', value: ({ runs }) => runs },
  {
    name: 'registered',
    title: 'REGISTERED',
    value: ({ registered_at: at }) => at,
    isWhole: true,
    cell: ({ registered_at: at }, { time }) => time(at),
  },
  {
    name: 'by',
    title: 'BY',
    value: ({ registered_by: by }) => by,
    cell: ({ registered_by: by }) => printable(by ?? '–'),
  },
  { name: 'file', value: ({ file }) => file },
];

export const NO_VERSIONS = 'No workflow is registered yet. Register one: q workflow register <file>';

export const NO_WORKFLOWS = [
  'No workflows here yet.',
  'Put a file into .amazonq/workflows/ of this folder, or register one: q workflow register <file>',
  'Or make one question by question: q workflow create',
].join('\n');

export const INSTANCE_COLUMNS: readonly ListColumn<InstanceSummary>[] = [
  { name: 'id', title: 'ID', isWhole: true, value: ({ id }) => id },
  {
    name: 'workflow',
    title: 'WORKFLOW',
    value: ({ workflow }) => workflow,
    cell: ({ workflow, version }, { style }) => `${printable(workflow)} ${style.dim(version)}`,
  },
  { name: 'version', value: ({ version }) => version },
  { name: 'definition', value: ({ definition }) => definition },
  {
    name: 'status',
    title: 'STATUS',
    value: ({ status }) => status,
    cell: ({ status }, { style }) => `${mark(status, style)} ${status}`,
  },
  { name: 'created', value: ({ created_at: created }) => created },
  {
    name: 'started',
    title: 'STARTED',
    value: ({ started_at: started }) => started,
    isWhole: true,
    cell: ({ started_at: started, created_at: created }, { time }) => time(started ?? created),
  },
  { name: 'ended', value: ({ ended_at: ended }) => ended },
  {
    name: 'took_ms',
    title: 'TOOK',
    align: 'right',
    value: (row) => tookMs(row, Date.now()),
    cell: (row, { now }) => {
      const ms = tookMs(row, now);
      return ms === null ? '–' : duration(ms);
    },
  },
  {
    name: 'reason',
    title: 'REASON',
    value: whyOf,
    cell: (row) => (row.reason === 'completed' ? '' : printable(whyOf(row) ?? '')),
  },
];

/** Why it ended as it did, or stands still. */
function whyOf({ status, reason, paused, approvals }: InstanceSummary): string | null {
  if (status === 'paused' && paused !== null) return `paused by ${paused.by}`;
  const [first, ...more] = approvals;
  if (first === undefined) return reason;
  return `approval ${first}${more.length === 0 ? '' : ` and ${more.length} more`}`;
}

/** What to say where there are no instances. */
export function noInstances(isAll: boolean): string {
  return isAll
    ? 'Nothing has run yet. Start something: q workflow run <name|file>'
    : 'Nothing is running. See what has run: q workflow status --all';
}

function tookMs({ started_at: started, ended_at: ended }: InstanceSummary, now: number): number | null {
  return started === null ? null : (ended === null ? now : Date.parse(ended)) - Date.parse(started);
}
