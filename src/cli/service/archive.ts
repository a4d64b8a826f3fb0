import type { ArchiveContent, ArchiveDocument, ArchiveRun } from '../../protocol/upkeep-control.ts';
import type { ListColumn } from '../text/list-flags.ts';
import { bytes, mark, plural, printable } from '../text/style.ts';

export const ARCHIVE_COLUMNS: readonly ListColumn<ArchiveDocument>[] = [
  { name: 'id', title: 'ID', isWhole: true, value: ({ id }) => id },
  {
    name: 'workflow',
    title: 'WORKFLOW',
    value: ({ workflow }) => workflow,
    cell: ({ workflow, version }, { style }) => `${printable(workflow)} ${style.dim(printable(version))}`,
  },
  { name: 'version', value: ({ version }) => version },
  {
    name: 'status',
    title: 'STATUS',
    value: ({ status }) => status,
    cell: ({ status }, { style }) => `${mark(status, style)} ${status}`,
  },
  { name: 'created', value: ({ created_at: created }) => created },
  {
    name: 'ended',
    title: 'ENDED',
    value: ({ ended_at: ended }) => ended,
    isWhole: true,
    cell: ({ ended_at: ended }, { time }) => time(ended),
  },
  {
    name: 'archived',
    title: 'ARCHIVED',
    value: ({ archived_at: archived }) => archived,
    isWhole: true,
    cell: ({ archived_at: archived }, { time }) => time(archived),
  },
  {
    name: 'bytes',
    title: 'SIZE',
    align: 'right',
    value: ({ bytes: size }) => size,
    cell: ({ bytes: size }) => bytes(size),
  },
  { name: 'file', value: ({ file }) => file },
];

export const NO_ARCHIVES = [
  'Nothing is archived yet: ended runs are after 30 days.',
  'Archive what has ended before then: q workflow archive run --help',
].join('\n');

export function archiveText(shown: ArchiveDocument & ArchiveContent): string {
  const { id, workflow, version, status, reason, created_at, ended_at, archived_at, file, events } = shown;
  return [
    `${id}  ${printable(workflow)} ${version}  ${status}${reason === null ? '' : `: ${printable(reason)}`}`,
    `  created   ${created_at}`,
    `  ended     ${ended_at}`,
    `  archived  ${archived_at}`,
    `  file      ${file}, ${bytes(shown.bytes)}, whole`,
    `  journal   ${plural(events, 'event')}`,
    ...shown.parts.map(({ part, bytes: size }) => `  ${printable(part)}  ${bytes(size)}`),
    `  next: q workflow archive restore ${id}`,
  ].join('\n');
}

export function archiveRunText({ archived, bytes: size, stopped }: ArchiveRun): string {
  if (archived.length === 0)
    return `Nothing was archived: ${stopped === null ? 'no instance ended that long ago.' : printable(stopped)}`;
  const done = `${plural(archived.length, 'instance')} archived, ${bytes(size)}`;
  return stopped === null ? done : `${done}\nIt did not come to its end: ${printable(stopped)}`;
}

export function prunedText(removed: readonly ArchiveDocument[]): string {
  if (removed.length === 0) return 'Nothing was removed: all archives are within their bounds.';
  const lines = removed.map(
    ({ id, workflow, ended_at }) => `  ${id}  ${printable(workflow)}  ended ${ended_at}`,
  );
  return [`${plural(removed.length, 'archive')} removed:`, ...lines].join('\n');
}
