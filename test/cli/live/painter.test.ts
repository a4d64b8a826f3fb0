import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createPainter, type Painter } from '../../../src/cli/live/painter.ts';
import { type VirtualScreen, virtualScreen } from '../../setup/virtual-screen.ts';

interface Bench {
  readonly painter: Painter;
  readonly screen: VirtualScreen;
  /** What the painter is told of the columns; null: the truth. */
  readonly tell: (columns: number | null) => void;
  /** What was written since it was asked last. */
  readonly written: () => string;
}

function bench(columns = 40, rows = 20): Bench {
  const screen = virtualScreen(columns);
  let told: number | null = null;
  let text = '';
  const painter = createPainter({
    write: (piece) => {
      text += piece;
      screen.write(piece);
    },
    size: () => ({ columns: told ?? screen.columns, rows }),
    reflows: true,
  });
  return {
    painter,
    screen,
    tell: (size) => {
      told = size;
    },
    written: () => {
      const piece = text;
      text = '';
      return piece;
    },
  };
}

const BEGIN = '\u001b[?2026h\u001b[?7l';
const END = '\u001b[?7h\u001b[?2026l';

describe('the painter', () => {
  test('writes only the row that changed, between synchronized-output marks', () => {
    const { painter, screen, written } = bench();
    painter.paint(['one', 'two', 'three']);
    assert.equal(written(), `${BEGIN}one\ntwo\nthree\n${END}`);
    painter.paint(['one', 'TWO!', 'three']);
    assert.equal(written(), `${BEGIN}\r\u001b[2ATWO!\u001b[K\r\u001b[2B${END}`);
    assert.deepEqual(screen.rows(), ['one', 'TWO!', 'three']);
  });

  test('writes nothing for a picture that is the same', () => {
    const { painter, written } = bench();
    painter.paint(['one', 'two']);
    written();
    painter.paint(['one', 'two']);
    assert.equal(written(), '');
  });

  test('never clears the screen, nor what is below the cursor', () => {
    const { painter, written } = bench();
    painter.paint(['one', 'two', 'three']);
    painter.paint(['1']);
    painter.printAbove('note', ['1', '2']);
    painter.erase();
    assert.doesNotMatch(written(), /\u001b\[\d*J/);
  });

  test('text above stays, in order, and the picture follows it', () => {
    const { painter, screen } = bench();
    painter.paint(['a', 'b']);
    painter.printAbove('first note', ['a', 'b']);
    painter.printAbove('second note', ['a2', 'b', 'c']);
    assert.deepEqual(screen.rows(), ['first note', 'second note', 'a2', 'b', 'c']);
  });

  test('a terminal that broke our lines while it became narrower is left clean', () => {
    const { painter, screen } = bench(40);
    screen.write('the prompt\n');
    painter.paint(['x'.repeat(39), 'short', 'y'.repeat(30)]);
    screen.resize(12);
    assert.equal(screen.rows().length, 9);
    painter.paint(['narrow', 'view']);
    assert.deepEqual(screen.rows(), ['the prompt', 'narrow', 'view']);
  });

  test('pictures drawn before a narrower terminal is heard of leave nothing behind', () => {
    const { painter, screen, tell } = bench(40);
    screen.write('the prompt\n');
    const picture = (time: number): string[] => [
      `head ${time}`,
      `${time} ${'x'.repeat(36)}`,
      `${time} short`,
    ];
    painter.paint(picture(1));
    tell(40);
    screen.resize(12);
    painter.paint(picture(2));
    painter.paint(picture(3));
    tell(null);
    painter.paint(picture(4));
    assert.deepEqual(screen.rows(), ['the prompt', 'head 4', '4 xxxxxxxxx', '4 short']);
  });

  test('of a terminal that cuts its lines no more rows are taken than there were', () => {
    let text = '';
    let columns = 40;
    const painter = createPainter({
      write: (piece) => {
        text = piece;
      },
      size: () => ({ columns, rows: 20 }),
      reflows: false,
    });
    painter.paint(['x'.repeat(39), 'y']);
    columns = 10;
    painter.paint(['new']);
    assert.equal(text, `${BEGIN}${'\r\u001b[1A\u001b[2K'.repeat(2)}new\n${END}`);
  });

  test('forgetting leaves the picture where it is and draws the next one below', () => {
    const { painter, screen } = bench();
    painter.paint(['last']);
    painter.forget();
    painter.paint(['again']);
    assert.deepEqual(screen.rows(), ['last', 'again']);
  });

  test('a picture higher than the screen is cut', () => {
    const { painter, screen } = bench(40, 4);
    painter.paint(['1', '2', '3', '4', '5', '6']);
    assert.deepEqual(screen.rows(), ['1', '2', '3']);
  });

  test('on a terminal that became lower the picture is drawn whole', () => {
    const screen = virtualScreen(40);
    let rows = 20;
    let text = '';
    const painter = createPainter({
      write: (piece) => {
        text = piece;
        screen.write(piece);
      },
      size: () => ({ columns: 40, rows }),
      reflows: true,
    });
    painter.paint(['1', '2', '3', '4', '5']);
    rows = 4;
    painter.paint(['1', '2', '3']);
    // Each row of the old one that can still be reached is cleared, then all is written.
    assert.equal(text, `${BEGIN}${'\r\u001b[1A\u001b[2K'.repeat(5)}1\n2\n3\n${END}`);
    assert.deepEqual(screen.rows(), ['1', '2', '3']);
  });

  test('whatever follows what, the screen shows the last picture below what was printed', () => {
    const line = fc
      .string({ unit: fc.constantFrom('a', 'b', 'c', ' ', '.'), maxLength: 50 })
      .map((text) => `|${text}`);
    const move = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('paint' as const),
          lines: fc.array(line, { maxLength: 9 }),
        }),
      },
      fc.record({ kind: fc.constant('print' as const), lines: fc.array(line, { maxLength: 9 }) }),
      fc.record({ kind: fc.constant('resize' as const), columns: fc.integer({ min: 8, max: 60 }) }),
    );
    fc.assert(
      fc.property(fc.array(move, { maxLength: 12 }), (moves) => {
        const { painter, screen } = bench(40);
        let printed = 0;
        let last: readonly string[] = [];
        for (const each of moves) {
          if (each.kind === 'resize') {
            screen.resize(each.columns);
            painter.paint(last);
          } else {
            last = each.lines;
            if (each.kind === 'paint') painter.paint(last);
            else {
              printed += 1;
              painter.printAbove(`${printed}`, last);
            }
          }
          const notes = Array.from({ length: printed }, (_, index) => `${index + 1}`);
          const lines = last.map((text) => text.slice(0, screen.columns - 1).trimEnd());
          assert.deepEqual(screen.rows(), [...notes, ...lines]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
