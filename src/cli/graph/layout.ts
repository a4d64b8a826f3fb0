/** Where the boxes and lines of a picture go. Pure geometry: each block knows its size and is put down by its parent. */
import { clipToWidth, displayWidth } from '../text/display-width.ts';
import type { FlowBranch, FlowNode } from './flow.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly node: FlowNode;
  readonly lines: readonly string[];
}

export interface Line {
  readonly points: readonly (readonly [number, number])[];
  readonly hasArrow: boolean;
  readonly isDashed: boolean;
}

export interface Word {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly lines: readonly Line[];
  readonly words: readonly Word[];
  /** Where the ways that are left open at the bottom end. */
  readonly end: readonly [number, number] | null;
}

/** A part of the picture; the way comes in at the middle of its top and leaves at the middle of its bottom. */
interface Block {
  /** Zero of a branch that does nothing. */
  readonly steps: number;
  readonly width: number;
  readonly height: number;
  readonly put: (x: number, y: number) => void;
}

const COLUMN = 7.3;
const ROW = 16;
const PAD = 10;
const GAP = 28;
const MIN_WIDTH = 96;
const MAX_COLUMNS = 48;
/** Room at the right of a loop for the way back. */
const BACK = 26;
const MARGIN = 20;

export function layOut(nodes: readonly FlowNode[]): Picture {
  const boxes: Box[] = [];
  const lines: Line[] = [];
  const words: Word[] = [];
  const line = (hasArrow: boolean, ...points: readonly (readonly [number, number])[]): void =>
    void lines.push({ points, hasArrow, isDashed: false });

  const sequence = (list: readonly FlowNode[]): Block => {
    const blocks = list.map(blockOf);
    if (blocks.length === 0)
      return {
        steps: 0,
        width: GAP,
        height: GAP,
        put: (x, y) => line(false, [x + GAP / 2, y], [x + GAP / 2, y + GAP]),
      };
    const width = Math.max(...blocks.map((block) => block.width));
    return {
      steps: blocks.length,
      width,
      height: blocks.reduce((sum, block) => sum + block.height, GAP * (blocks.length - 1)),
      put: (x, top) => {
        let y = top;
        for (const [index, block] of blocks.entries()) {
          block.put(x + (width - block.width) / 2, y);
          y += block.height;
          if (index < blocks.length - 1) line(true, [x + width / 2, y], [x + width / 2, y + GAP]);
          y += GAP;
        }
      },
    };
  };

  const leaf = (node: FlowNode): Block => {
    const texts = textsOf(node);
    const columns = Math.max(...texts.map((text) => displayWidth(text)));
    const width = Math.max(MIN_WIDTH, Math.ceil(columns * COLUMN) + 2 * PAD);
    const height = texts.length * ROW + PAD;
    return {
      steps: 1,
      width,
      height,
      put: (x, y) => void boxes.push({ x, y, width, height, node, lines: texts }),
    };
  };

  /** Branches side by side below their head, and together again below them. */
  const fork = (node: FlowNode): Block => {
    const head = leaf(node);
    const branches = node.branches.map(({ name, nodes: list }: FlowBranch) => ({
      name,
      block: sequence(list),
    }));
    const across = branches.reduce(
      (sum, { block }) => sum + block.width,
      GAP * Math.max(0, branches.length - 1),
    );
    const width = Math.max(head.width, across);
    const tallest = branches.reduce((most, { block }) => Math.max(most, block.height), 0);
    const height = head.height + GAP + tallest + GAP;
    return {
      steps: 1,
      width,
      height,
      put: (left, y) => {
        const middle = left + width / 2;
        head.put(middle - head.width / 2, y);
        const from = y + head.height;
        let x = left + (width - across) / 2;
        for (const { name, block } of branches) {
          const centre = x + block.width / 2;
          const isEmpty = block.steps === 0;
          line(!isEmpty, [middle, from], [middle, from + 8], [centre, from + 8], [centre, from + GAP]);
          if (name !== '') words.push({ x: centre + 5, y: from + GAP - 8, text: name });
          block.put(x, from + GAP);
          const end = from + GAP + block.height;
          line(
            false,
            [centre, end],
            [centre, y + height - 8],
            [middle, y + height - 8],
            [middle, y + height],
          );
          x += block.width + GAP;
        }
      },
    };
  };

  const loop = (node: FlowNode): Block => {
    const head = leaf(node);
    const body = sequence(node.branches[0]?.nodes ?? []);
    const inner = Math.max(head.width, body.width);
    const width = inner + 2 * BACK;
    const height = head.height + GAP + body.height + GAP;
    return {
      steps: 1,
      width,
      height,
      put: (x, y) => {
        const middle = x + width / 2;
        head.put(middle - head.width / 2, y);
        line(true, [middle, y + head.height], [middle, y + head.height + GAP]);
        body.put(middle - body.width / 2, y + head.height + GAP);
        const end = y + head.height + GAP + body.height;
        const right = x + width - 8;
        const back = y + head.height / 2;
        lines.push({
          points: [
            [middle, end],
            [middle, end + 10],
            [right, end + 10],
            [right, back],
            [middle + head.width / 2, back],
          ],
          hasArrow: true,
          isDashed: true,
        });
        // Out of the head, past the body, on the other side.
        const out = x + 8;
        line(
          false,
          [middle - head.width / 2, back],
          [out, back],
          [out, y + height - 6],
          [middle, y + height - 6],
          [middle, y + height],
        );
      },
    };
  };

  const blockOf = (node: FlowNode): Block => {
    if (node.kind === 'loop') return loop(node);
    return node.branches.length > 0 ? fork(node) : leaf(node);
  };

  const all = sequence(nodes);
  all.put(MARGIN, MARGIN);
  // Branches that meet below the last step lead somewhere too.
  const isOpen = (nodes.at(-1)?.branches.length ?? 0) > 0;
  const end = isOpen ? ([MARGIN + all.width / 2, MARGIN + all.height] as const) : null;
  return { width: all.width + 2 * MARGIN, height: all.height + 2 * MARGIN, boxes, lines, words, end };
}

function textsOf({ id, what, notes, state }: FlowNode): readonly string[] {
  const facts = state === null ? [] : [`${state.status}${state.runs > 1 ? `, ${state.runs} times` : ''}`];
  return [id, what, ...notes, ...facts].map((text) =>
    displayWidth(text) <= MAX_COLUMNS ? text : `${clipToWidth(text, MAX_COLUMNS - 1)}…`,
  );
}
