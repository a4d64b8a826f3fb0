/** Figures as people type them. Each reader answers null for a text that is none. */

const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, sec: 1, m: 60, min: 60, h: 3600, d: 86_400 };
const MEBIBYTES: Readonly<Record<string, number>> = {
  '': 1,
  m: 1,
  mb: 1,
  mib: 1,
  g: 1024,
  gb: 1024,
  gib: 1024,
};

/** 90, 90s, 1.5 min, 2 h, 1d → seconds. */
export function readSeconds(text: string): number | null {
  return readFigure(text, SECONDS);
}

/** 512, 512 MB, 2g → MiB. */
export function readMebibytes(text: string): number | null {
  return readFigure(text, MEBIBYTES);
}

export function readNumber(text: string): number | null {
  return readFigure(text, { '': 1 });
}

/** a, b,c → its words, without empty ones and doubles. */
export function readWords(text: string): readonly string[] {
  const words = text.split(',').map((word) => word.trim());
  return [...new Set(words.filter((word) => word !== ''))];
}

function readFigure(text: string, units: Readonly<Record<string, number>>): number | null {
  const [whole, figure = '', unit = ''] = /^\s*(\d{1,12}(?:\.\d{1,6})?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const factor = Object.hasOwn(units, unit.toLowerCase()) ? units[unit.toLowerCase()] : undefined;
  return whole === undefined || factor === undefined ? null : Number(figure) * factor;
}
