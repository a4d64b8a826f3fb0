import type { ArchiveContent, ArchiveDocument, ArchiveRun } from '../protocol/upkeep-control.ts';
import { ago, bytes, mark, plural, printable, styleFor } from './style.ts';
import { table, widthOf } from './table.ts';

export function archiveTable(archives: readonly ArchiveDocument[]): string {
  if (archives.length === 0)
    return 'Nothing is archived yet: ended runs are after 30 days, or by archive run.';
  const style = styleFor(process.stdout);
  const now = Date.now();
  return table(
    ['ID', 'WORKFLOW', 'STATUS', 'ENDED', 'ARCHIVED', 'SIZE'].map(style.dim),
    archives.map(({ id, workflow, version, status, ended_at, archived_at, bytes: size }) => [
      id,
      `${workflow} ${style.dim(version)}`,
      `${mark(status, style)} ${status}`,
      ago(ended_at, now),
      ago(archived_at, now),
      bytes(size),
    ]),
    widthOf(process.stdout),
  );
}

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
  const done =
    archived.length === 0
      ? 'Nothing was archived: no instance ended that long ago.'
      : `${plural(archived.length, 'instance')} archived, ${bytes(size)}`;
  return stopped === null ? done : `${done}\nIt did not come to its end: ${printable(stopped)}`;
}

export function prunedText(removed: readonly ArchiveDocument[]): string {
  if (removed.length === 0) return 'Nothing was removed: all archives are within their bounds.';
  const lines = removed.map(
    ({ id, workflow, ended_at }) => `  ${id}  ${printable(workflow)}  ended ${ended_at}`,
  );
  return [`${plural(removed.length, 'archive')} removed:`, ...lines].join('\n');
}
