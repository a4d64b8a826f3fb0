import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LogCursor } from '../../../src/cli/logs/log-cursor.ts';
import { listLogs } from '../../../src/cli/logs/log-files.ts';

const LINES = 50_000;

for (const partBytes of [2_000, 50_000])
  test(`a process that writes in parts of ${partBytes} bytes is followed without a lost or repeated byte`, {
    timeout: 120_000,
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'qw-logs-'));
    const writer = spawn(
      process.execPath,
      ['--no-warnings', join(import.meta.dirname, 'log-writer.ts'), folder, String(LINES), String(partBytes)],
      { stdio: 'inherit' },
    );
    const exited = once(writer, 'exit');
    const cursor = new LogCursor(folder, 'step-1-1');
    let next = 1;
    let gaps = 0;
    const look = (): void => {
      for (const item of cursor.read(listLogs(folder), 0)) {
        if (item.kind === 'line') {
          assert.equal(item.text, String(next));
          assert.equal(item.stream, next % 2 === 0 ? 'o' : 'e');
          next += 1;
        } else {
          gaps += 1;
          // A gap is of whole parts, and a part begins with a whole line here.
          for (let left = item.bytes; left > 0; next += 1) left -= String(next).length + 1;
        }
      }
    };
    try {
      while (writer.exitCode === null) {
        look();
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual(await exited, [0, null]);
      look();
      assert.equal(next, LINES + 1, `${gaps} gaps`);
    } finally {
      cursor.close();
      writer.kill('SIGKILL');
      rmSync(folder, { recursive: true });
    }
  });
