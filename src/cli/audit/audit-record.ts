import type { Severity } from '../../audit/severity.ts';
import type { AuditRow } from '../../store/audit-reader.ts';
import type { Screen } from '../text/screen.ts';
import { printable, type Style } from '../text/style.ts';
import { wrapped } from '../text/wrap.ts';

/** A record as the commands show it: its text, parsed, with its hash. */
export interface AuditRecord {
  readonly v: number;
  readonly log: string;
  readonly seq: number;
  readonly boot: string;
  readonly mono_us?: number;
  readonly severity?: Severity;
  readonly type: string;
  readonly at: number;
  readonly actor: {
    readonly kind: string;
    readonly id: string;
    readonly uid: number | null;
    readonly via?: string;
  };
  readonly instance: string | null;
  readonly data: Readonly<Record<string, unknown>>;
  readonly binds?: Readonly<Record<string, unknown>>;
  readonly hash: string;
}

export function recordOf({ body, hash }: AuditRow): AuditRecord {
  // Our own supervisor wrote it.
  return { ...(JSON.parse(body) as Omit<AuditRecord, 'hash'>), hash };
}

/** One line: number, time, instance, type, and what of its facts fits. */
export function recordLine(record: AuditRecord, style: Style): string {
  const { seq, at, instance, type } = record;
  return [
    style.dim(String(seq).padStart(6)),
    style.dim(new Date(at).toISOString()),
    (instance ?? '-').padEnd(10),
    severityStyle(record, style)(type.padEnd(22)),
    printable(factsText(record)),
  ]
    .join(' ')
    .trimEnd();
}

export function recordText(record: AuditRecord, { style, width }: Screen): string {
  const { seq, at, type, actor, instance, data, hash, binds } = record;
  const names = ['instance', ...Object.keys(data)];
  const nameWidth = Math.min(20, Math.max(...names.map((name) => name.length)));
  const row = (name: string, value: string): string =>
    wrapped(`  ${style.dim(name.padEnd(nameWidth))} `, printable(value), width).join('\n');
  return [
    `${style.bold(`record ${seq}`)} ${severityStyle(record, style)(type)}`,
    row('at', new Date(at).toISOString()),
    row(
      'actor',
      `${actor.kind} ${actor.id}${actor.uid === null ? '' : ` (uid ${actor.uid})`}${viaText(actor)}`,
    ),
    row('instance', instance ?? 'none'),
    row('hash', hash),
    ...(binds === undefined ? [] : [row('tied to', JSON.stringify(binds))]),
    ...Object.entries(data).map(([name, value]) => row(name, shown(value))),
  ].join('\n');
}

function viaText({ via }: AuditRecord['actor']): string {
  return via === undefined ? '' : ` via ${via}`;
}

/** Colours a record by what it means. */
export function severityStyle({ severity }: AuditRecord, style: Style): (text: string) => string {
  if (severity === 'error') return style.red;
  return severity === 'warning' ? style.yellow : style.cyan;
}

/** Who did it, where it was a person, and what is known of it. */
export function factsText({ actor, data }: AuditRecord): string {
  const by = actor.kind === 'person' ? [`by ${actor.id}${viaText(actor)}`] : [];
  const facts = Object.entries(data).filter(([, value]) => value !== null);
  return [...by, ...facts.map(([name, value]) => `${name}=${shown(value)}`)].join(' ');
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
