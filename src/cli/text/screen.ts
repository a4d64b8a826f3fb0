import { type Style, styleFor } from './style.ts';
import { widthOf } from './table.ts';

/** For what a text is drawn: with these colours, so wide, at this moment. */
export interface Screen {
  readonly style: Style;
  /** Columns; unbounded where it is no terminal. */
  readonly width: number;
  /** UTC ms. */
  readonly now: number;
}

export function screenOf(stream: NodeJS.WriteStream): Screen {
  return { style: styleFor(stream), width: widthOf(stream), now: Date.now() };
}
