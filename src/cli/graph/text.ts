import { cutToWidth } from '../text/display-width.ts';
import { duration, mark, type Style } from '../text/style.ts';
import type { Flow, FlowBranch, FlowNode } from './flow.ts';

/** A flow as a tree. Double lines lead to what runs at once; a loop has a turning arrow. */
export function flowText({ title, nodes }: Flow, style: Style, width: number): string {
  const lines = [style.bold(title), ...sequence(nodes, '', style)];
  return lines.map((line) => cutToWidth(line, width)).join('\n');
}

function sequence(nodes: readonly FlowNode[], indent: string, style: Style): string[] {
  return nodes.flatMap((node, index) => {
    const isLast = index === nodes.length - 1;
    return nodeLines(node, indent + (isLast ? '└─ ' : '├─ '), indent + (isLast ? '   ' : '│  '), style);
  });
}

function nodeLines(node: FlowNode, head: string, indent: string, style: Style): string[] {
  return [`${style.dim(head)}${nodeText(node, style)}`, ...below(node, indent, style)];
}

function below(node: FlowNode, indent: string, style: Style): string[] {
  if (node.kind === 'parallel')
    return node.branches.flatMap(({ nodes: [only] }, index) => {
      const isLast = index === node.branches.length - 1;
      if (only === undefined) return [];
      return nodeLines(only, indent + (isLast ? '╘═ ' : '╞═ '), indent + (isLast ? '   ' : '│  '), style);
    });
  if (node.kind === 'loop') return node.branches.flatMap(({ nodes }) => sequence(nodes, indent, style));
  const branches = node.branches.filter(({ nodes }) => nodes.length > 0);
  return branches.flatMap((branch, index) =>
    branchLines(branch, indent, index === branches.length - 1, style),
  );
}

function branchLines({ name, nodes }: FlowBranch, indent: string, isLast: boolean, style: Style): string[] {
  const head = style.dim(indent + (isLast ? '└─ ' : '├─ '));
  return [`${head}${style.cyan(name)}`, ...sequence(nodes, indent + (isLast ? '   ' : '│  '), style)];
}

function nodeText({ id, kind, what, notes, state }: FlowNode, style: Style): string {
  const sign = kind === 'loop' ? '↻ ' : kind === 'conditional' ? '◇ ' : '';
  const parts = [
    `${state === null ? '' : `${mark(state.status, style)} `}${sign}${style.bold(id)}`,
    style.dim(what),
    ...notes.map((note) => style.dim(`[${note}]`)),
  ];
  if (state !== null) {
    const { status, runs, attempts, tookMs } = state;
    const facts = [
      status,
      ...(runs > 1 ? [`${runs} times`] : []),
      ...(attempts > 1 ? [`attempt ${attempts}`] : []),
      ...(tookMs === null || status === 'skipped' ? [] : [duration(tookMs)]),
    ];
    parts.push(facts.join(', '));
  }
  return parts.join('  ');
}
