/** Skills and agents as their folders have them: what the commands `skills` and `agents` share. */
import { didYouMean, nearest } from '../../errors/nearest.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import type { SkillNote } from '../../skills/skill.ts';
import type { ListColumn } from './list-flags.ts';
import type { Screen } from './screen.ts';
import { plural, printable, type Style } from './style.ts';
import { wrapped } from './wrap.ts';

/** One of them, as the JSON has it. */
export interface Part {
  readonly name: string;
  readonly type: string;
  readonly description: string;
  /** Null for one that comes with the product. */
  readonly file: string | null;
  readonly source: 'workspace' | 'user' | 'file' | 'built-in';
  readonly is_usable: boolean;
  /** What was rewritten, ignored or wrong when it was read. */
  readonly notes: readonly SkillNote[];
  /** What else is known of it, in words: shown by `show`. */
  readonly facts: Readonly<Record<string, string | readonly string[]>>;
}

export function partColumns(noun: 'skills' | 'agents'): readonly ListColumn<Part>[] {
  return [
    {
      name: 'name',
      title: 'NAME',
      value: ({ name }) => name,
      cell: ({ name, is_usable: isUsable }, { style }) =>
        isUsable ? printable(name) : style.red(printable(name)),
    },
    { name: 'type', title: 'TYPE', value: ({ type }) => type, cell: ({ type }) => printable(type) },
    { name: 'source', title: 'FROM', value: ({ source }) => source },
    { name: 'status', value: ({ is_usable: isUsable }) => (isUsable ? 'usable' : 'broken') },
    {
      name: 'notes',
      title: 'NOTES',
      value: ({ notes }) => notes.length,
      cell: ({ notes }) => (notes.length === 0 ? '' : String(notes.length)),
    },
    {
      name: 'description',
      title: 'DESCRIPTION',
      value: ({ description }) => description,
      cell: ({ is_usable: isUsable, name, description, notes }, { style }) => {
        const errors = notes.filter(({ severity }) => severity === 'error').length;
        return isUsable
          ? printable(description)
          : style.red(`${plural(errors, 'problem')}: q workflow ${noun} validate ${printable(name)}`);
      },
    },
    { name: 'file', value: ({ file }) => file },
  ];
}

/** The one of that name. Throws NO_SUCH_SKILL or NO_SUCH_AGENT with the nearest name. */
export function partNamed(parts: readonly Part[], name: string, noun: 'skill' | 'agent'): Part {
  const found = parts.find((part) => part.name === name);
  if (found !== undefined) return found;
  const near = nearest(
    name,
    parts.map((part) => part.name),
  );
  const code = noun === 'skill' ? 'NO_SUCH_SKILL' : 'NO_SUCH_AGENT';
  throw new WorkflowError(code, `no ${noun} is called "${name}"${didYouMean(near)}`);
}

/** Everything that is known of one. */
export function partText(part: Part, { style, width }: Screen): string {
  const facts = Object.entries(part.facts).flatMap(([name, fact]) => {
    const lines = typeof fact === 'string' ? [fact] : fact;
    return lines.flatMap((line, index) =>
      wrapped(`  ${(index === 0 ? name : '').padEnd(12)} `, printable(line), width),
    );
  });
  return [
    `${style.bold(printable(part.name))}  ${printable(part.type)}`,
    ...wrapped('', `${part.source}: ${part.file ?? 'comes with the product'}`, width).map(style.dim),
    ...(part.description === '' ? [] : wrapped('', printable(part.description), width)),
    ...(facts.length === 0 ? [] : ['', ...facts]),
    ...(part.notes.length === 0
      ? []
      : ['', style.dim('how its file was read'), ...noteLines(part, style, width)]),
  ].join('\n');
}

/** A line for each, with what is wrong or was read another way than it was written. */
export function checkText(parts: readonly Part[], noun: 'skill' | 'agent', { style, width }: Screen): string {
  if (parts.length === 0) return `There are no ${noun}s to check.`;
  return parts
    .flatMap((part) => [
      ...wrapped(
        `${part.is_usable ? style.green('✓') : style.red('✗')} `,
        `${printable(part.name)}  ${part.file ?? ''}`,
        width,
      ),
      ...noteLines(part, style, width),
    ])
    .join('\n');
}

const SEVERITIES: Readonly<Record<SkillNote['severity'], (style: Style) => string>> = {
  error: (style) => style.red('error'),
  warning: (style) => style.yellow('warning'),
  rewritten: (style) => style.cyan('rewritten'),
};

function noteLines({ notes }: Part, style: Style, width: number): string[] {
  return notes.flatMap(({ severity, path, message }) =>
    wrapped(`  ${SEVERITIES[severity](style)} `, printable(`${path}: ${message}`), width),
  );
}
