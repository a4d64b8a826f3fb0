import type { Flow, FlowNode } from './flow.ts';

/** An end that is still open: the next step follows it, or the word stands on the way to it. */
interface Exit {
  readonly from: string;
  readonly label: string;
}

/** A flow as a Mermaid flowchart. Names of the file are only ever in quoted labels, escaped. */
export function flowMermaid({ title, nodes }: Flow): string {
  const lines: string[] = [`%% ${title.replaceAll(/[{}%]/g, '')}`, 'flowchart TD'];
  let count = 0;
  const states = new Map<string, string[]>();
  const link = (exits: readonly Exit[], to: string): void => {
    for (const { from, label } of exits)
      lines.push(`  ${from} -->${label === '' ? '' : `|${quoted(label)}|`} ${to}`);
  };
  const sequence = (list: readonly FlowNode[], entry: readonly Exit[]): readonly Exit[] =>
    list.reduce((exits, node) => place(node, exits), entry);
  const place = (node: FlowNode, entry: readonly Exit[]): readonly Exit[] => {
    count += 1;
    const name = `n${count}`;
    const [open, close] = SHAPES[node.kind] ?? ['[', ']'];
    lines.push(`  ${name}${open}${quoted(labelOf(node))}${close}`);
    const status = node.state?.status;
    if (status !== undefined) states.set(status, [...(states.get(status) ?? []), name]);
    link(entry, name);
    if (node.kind === 'loop') {
      const ends = sequence(node.branches[0]?.nodes ?? [], [{ from: name, label: 'while' }]);
      for (const { from, label } of ends)
        lines.push(`  ${from} -.->|${quoted(label === '' ? 'again' : `${label}: again`)}| ${name}`);
      return [{ from: name, label: 'done' }];
    }
    if (node.branches.length === 0) return [{ from: name, label: '' }];
    return node.branches.flatMap(({ name: label, nodes: inner }) => sequence(inner, [{ from: name, label }]));
  };
  const ends = sequence(nodes, [{ from: 'begin', label: '' }]);
  lines.splice(2, 0, '  begin(("start"))');
  lines.push('  over(("end"))');
  link(ends, 'over');
  for (const [status, names] of states) {
    const colour = COLOURS[status];
    if (colour === undefined) continue;
    lines.push(`  classDef ${status} ${colour}`, `  class ${names.join(',')} ${status}`);
  }
  return lines.join('\n');
}

const SHAPES: Readonly<Record<string, readonly [string, string]>> = {
  agent: ['([', '])'],
  approval: ['[/', '/]'],
  parallel: ['[[', ']]'],
  conditional: ['{', '}'],
  loop: ['{{', '}}'],
};

const COLOURS: Readonly<Record<string, string>> = {
  completed: 'fill:#e3f4e6,stroke:#2e8540',
  handled: 'fill:#e3f4e6,stroke:#2e8540',
  failed: 'fill:#fbe3e1,stroke:#c0392b',
  running: 'fill:#e1f0fa,stroke:#1f6fb2',
  waiting: 'fill:#fdf3d8,stroke:#b7860b',
  skipped: 'fill:#f2f2f2,stroke:#999999',
  cancelled: 'fill:#f2f2f2,stroke:#999999',
};

function labelOf({ id, what, notes, state }: FlowNode): string {
  return [id, what, ...notes, ...(state === null ? [] : [state.status])].join('\n');
}

/** Mermaid reads entities by `#`; everything that means something to it or to HTML becomes one. */
function quoted(text: string): string {
  const escaped = text.replace(/[#"<>&`\\;]/g, (character) => `#${character.codePointAt(0)};`);
  return `"${escaped.replaceAll('\n', '<br/>')}"`;
}
