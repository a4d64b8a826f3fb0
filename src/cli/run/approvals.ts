import type { Client } from '../../client/client.ts';
import type { Json } from '../../definition/workflow.ts';
import type { ApprovalDocument } from '../../protocol/approval-control.ts';
import type { Screen } from '../text/screen.ts';
import { duration, printable } from '../text/style.ts';
import { broken, wrapped } from '../text/wrap.ts';

/** Characters that a terminal does not show, or that change how others are shown. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu;
/** Lines of arguments that are shown; who needs more looks at the JSON. */
const MAX_ARGUMENT_LINES = 30;

/** What waits for a person: each with what would be done, and how to decide. */
export function approvalsText(approvals: readonly ApprovalDocument[], screen: Screen): string {
  return approvals
    .map((approval) => [approvalText(approval, screen), ...decideLines(approval, screen.width)].join('\n'))
    .join('\n\n');
}

/** The commands that decide it; none when it is decided. */
export function decideLines({ instance, number, status }: ApprovalDocument, width: number): string[] {
  if (status !== 'pending') return [];
  const [yes, no] = ['approve', 'deny'].map((verb) => `q workflow ${verb} ${instance} ${number}`);
  const line = `  ${yes}   or   ${no}`;
  return line.length <= width ? [line] : [`  ${yes}`, `  ${no}`];
}

/** One of them, exactly as it would be done: nothing in it is cut without a word, nothing invisible stays invisible. */
export function approvalText(approval: ApprovalDocument, { style, width, now }: Screen): string {
  const { instance, number, workflow, step, kind, what, agent } = approval;
  const title = kind === 'approval' ? exact(approval.args['message'] ?? '') : `${words(kind)} ${exact(what)}`;
  const who = agent === null ? '' : ` for the agent ${printable(agent)}`;
  const [head = '', ...more] = broken('  ', `${title}${who}`, width);
  const about = `approval ${number} of ${instance}, step ${printable(step)} of ${printable(workflow)}, ${stateOf(approval, now)}`;
  const lines = [
    `${style.yellow('?')}${style.bold(head.slice(1))}`,
    ...more.map(style.bold),
    ...wrapped('  ', about, width).map(style.dim),
    // Broken by us: a terminal would begin its rows at the edge, where they could pass for words of ours.
    ...argumentLines(approval).flatMap((line) => broken('    ', line, width)),
    ...networkText(approval).flatMap((text) => wrapped('  ', text, width)),
    ...wrapped('  ', printable(because(approval)), width).map(style.dim),
  ];
  return lines.join('\n');
}

/** Text as a JSON string would have it, with escapes for all that cannot be seen. */
export function exact(value: Json): string {
  const text = typeof value === 'string' ? JSON.stringify(value).slice(1, -1) : JSON.stringify(value);
  return text.replace(INVISIBLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The approvals of a run that wait, by number. */
export function pendingApprovals(client: Client, id: string): Promise<readonly ApprovalDocument[]> {
  return client.call('approval.list', { id, isPendingOnly: true, limit: 1000 });
}

function words(kind: ApprovalDocument['kind']): string {
  switch (kind) {
    case 'model':
      return 'a model request of';
    case 'spawn':
    case 'session':
      return 'start';
    case 'hook':
      return 'run';
    case 'tool':
    case 'approval':
      return 'use';
  }
}

function argumentLines({ kind, args }: ApprovalDocument): string[] {
  const shown = Object.entries(args).filter(([name]) => kind !== 'approval' || name !== 'message');
  const lines = shown.flatMap(([name, value]) => {
    const [first = '', ...rest] =
      typeof value === 'string' ? value.split('\n').map((line) => exact(line)) : [exact(value)];
    return [`${exact(name)}: ${first}`, ...rest.map((line) => `  ${line}`)];
  });
  if (lines.length <= MAX_ARGUMENT_LINES) return lines;
  const more = lines.length - MAX_ARGUMENT_LINES;
  return [...lines.slice(0, MAX_ARGUMENT_LINES), `… ${more} more lines: q workflow approvals --json`];
}

/** A supervisor of an older version says nothing of it. */
function networkText({ network = [] }: Partial<ApprovalDocument>): string[] {
  return network.length === 0
    ? []
    : [`opens ${network.map((place) => exact(place)).join(', ')} to this call`];
}

function because({ rules, reason, by }: ApprovalDocument): string {
  const asked = rules.length === 0 ? reason : `${reason} (${rules.join(', ')})`;
  const names = by.map((list) => list.join(' or ')).join(', and ');
  return names === '' ? asked : `${asked}; to be decided by ${names}`;
}

function stateOf({ status, expires_at: until, decided }: ApprovalDocument, now: number): string {
  if (status === 'pending') {
    const leftMs = Date.parse(until) - now;
    return leftMs > 0 ? `denied in ${duration(leftMs)}` : 'its time is over';
  }
  const by = decided?.by == null ? '' : ` by ${decided.by}`;
  const why = decided?.reason == null ? '' : `: ${printable(decided.reason)}`;
  return `${status}${by}${why}`;
}
