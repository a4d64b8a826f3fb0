import type { Flow, FlowNode } from './flow.ts';
import { type Box, type Line, layOut } from './layout.ts';

const HEAD = 28;

/** A flow as an SVG of its own: no script, no font or picture from elsewhere. */
export function flowSvg({ title, nodes }: Flow): string {
  const { width, height, boxes, lines, words, end } = layOut(nodes);
  const full = Math.ceil(Math.max(width, title.length * 9 + 40));
  const tall = Math.ceil(height) + HEAD;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${full}" height="${tall}" viewBox="0 0 ${full} ${tall}" role="img" font-family="ui-monospace, DejaVu Sans Mono, monospace" font-size="12">`,
    `<title>${xml(title)}</title>`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#555555"/></marker></defs>',
    `<rect width="${full}" height="${tall}" fill="#ffffff"/>`,
    `<text x="20" y="24" font-size="15" font-weight="bold" fill="#222222">${xml(title)}</text>`,
    `<g transform="translate(${round((full - width) / 2)} ${HEAD})">`,
    ...lines.map(lineSvg),
    ...(end === null ? [] : [`<circle cx="${round(end[0])}" cy="${round(end[1])}" r="4" fill="#555555"/>`]),
    ...boxes.map(boxSvg),
    ...words.map(
      ({ x, y, text }) => `<text x="${round(x)}" y="${round(y)}" fill="#1f6fb2">${xml(text)}</text>`,
    ),
    '</g>',
    '</svg>',
  ].join('\n');
}

function lineSvg({ points, hasArrow, isDashed }: Line): string {
  const way = points.map(([x, y]) => `${round(x)},${round(y)}`).join(' ');
  return `<polyline points="${way}" fill="none" stroke="#555555"${isDashed ? ' stroke-dasharray="4 3"' : ''}${hasArrow ? ' marker-end="url(#arrow)"' : ''}/>`;
}

function boxSvg({ x, y, width, height, node, lines }: Box): string {
  const [fill, stroke] = coloursOf(node);
  const middle = round(x + width / 2);
  const texts = lines.map(
    (line, index) =>
      `<text x="${middle}" y="${round(y + 18 + index * 16)}" text-anchor="middle" fill="${index === 0 ? '#111111' : '#555555'}"${index === 0 ? ' font-weight="bold"' : ''}>${xml(line)}</text>`,
  );
  return `<g><rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="${roundness(node, height)}" fill="${fill}" stroke="${stroke}"/>${texts.join('')}</g>`;
}

function roundness({ kind }: FlowNode, height: number): number {
  return kind === 'agent' || kind === 'loop' ? round(height / 2) : kind === 'skill' ? 4 : 10;
}

const BY_STATUS: Readonly<Record<string, readonly [fill: string, stroke: string]>> = {
  completed: ['#e3f4e6', '#2e8540'],
  handled: ['#e3f4e6', '#2e8540'],
  failed: ['#fbe3e1', '#c0392b'],
  running: ['#e1f0fa', '#1f6fb2'],
  waiting: ['#fdf3d8', '#b7860b'],
};

function coloursOf({ kind, state }: FlowNode): readonly [fill: string, stroke: string] {
  if (state !== null) return BY_STATUS[state.status] ?? ['#f2f2f2', '#999999'];
  if (kind === 'approval') return ['#fdf3d8', '#b7860b'];
  return kind === 'skill' || kind === 'agent' ? ['#ffffff', '#333333'] : ['#eef2f7', '#33506e'];
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Also without what XML 1.0 forbids altogether: halves of surrogate pairs and two characters at the end of the plane. */
function xml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}
