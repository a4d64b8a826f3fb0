import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tellLastLine } from '../../src/instance/last-line.ts';
import type { StreamName } from '../../src/skills/output.ts';

describe('the last line of a step', () => {
  const bench = (): {
    told: string[];
    written: string[];
    write: (text: string) => void;
    close: () => void;
  } => {
    const told: string[] = [];
    const written: string[] = [];
    const sink = tellLastLine(
      {
        write: (stream: StreamName, chunk: Buffer) => void written.push(`${stream} ${chunk.toString()}`),
      },
      (line) => told.push(line),
      250,
    );
    return {
      told,
      written,
      write: (text) => void sink.write('stdout', Buffer.from(text)),
      close: () => sink.close(),
    };
  };

  test('is told four times a second at most, and once for each that differs', (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const { told, written, write } = bench();
    write('one\n');
    write('two\nthree\n');
    assert.deepEqual(told, []);
    context.mock.timers.tick(250);
    assert.deepEqual(told, ['three']);
    context.mock.timers.tick(1000);
    assert.deepEqual(told, ['three']);
    write('three\n');
    context.mock.timers.tick(250);
    assert.deepEqual(told, ['three']);
    write('four');
    context.mock.timers.tick(250);
    assert.deepEqual(told, ['three', 'four']);
    assert.deepEqual(written, ['stdout one\n', 'stdout two\nthree\n', 'stdout three\n', 'stdout four']);
  });

  test('of a bar that is drawn over itself the latest counts', (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const { told, write } = bench();
    write('10 %\r20 %\r30 %\r\n\n  \n');
    context.mock.timers.tick(250);
    assert.deepEqual(told, ['30 %']);
  });

  test('nothing is told after the step', (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const { told, write, close } = bench();
    write('quick\n');
    close();
    context.mock.timers.tick(1000);
    assert.deepEqual(told, []);
  });
});
