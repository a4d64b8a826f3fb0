import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const SOURCES = join(import.meta.dirname, '..', '..', 'src');

/** Runs `program` where a file takes no more than 1 KiB: the kernel then writes a part, and says so by the count alone. */
function runShort(program: string, ...args: readonly string[]): string {
  const words = [process.execPath, '--input-type=module', '-e', program, ...args];
  const line = ['-c', 'ulimit -f 2; exec "$@"', 'sh'];
  return spawnSync('/bin/sh', [...line, ...words], { encoding: 'utf8' }).stderr;
}

test('a file of which the disk takes a part only does not replace the whole one', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'qw-durable-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'file');
  for (const [module, name] of [
    ['protocol/durable-file.ts', 'writeDurably'],
    ['service/unit-file.ts', 'writeUnit'],
  ] as const) {
    writeFileSync(file, 'before');
    const program = `import { ${name} } from ${JSON.stringify(join(SOURCES, module))}; ${name}(process.argv[1], 'x'.repeat(100_000));`;
    assert.match(runShort(program, file), /EFBIG/);
    assert.equal(readFileSync(file, 'utf8'), 'before');
    assert.deepEqual(readdirSync(folder), ['file']);
  }
});
