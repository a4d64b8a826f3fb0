import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Bench, openBench, ROOT } from '../setup/bench-home.ts';

const PUSH = JSON.stringify({
  hook_event_name: 'preToolUse',
  cwd: '/',
  tool_name: 'execute_bash',
  tool_input: { command: 'git push' },
});

/** `/dev/full` takes no byte: what a full disk behind `>` does. */
describe('an output that cannot be written', { timeout: 120_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = openBench();
  });
  after(() => bench.close());

  const ends = (
    words: readonly string[],
    full: 'stdout' | 'stderr',
    input = '',
  ): Promise<{ status: number | null; other: string }> => {
    const sink = openSync('/dev/full', 'w');
    const child = spawn(join(ROOT, 'bin', 'q'), ['workflow', ...words], {
      cwd: bench.workspace,
      env: bench.env,
      stdio: ['pipe', full === 'stdout' ? sink : 'pipe', full === 'stderr' ? sink : 'pipe'],
    });
    closeSync(sink);
    let other = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        other += chunk.toString();
      });
    child.stdin?.end(input);
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => resolve({ status, other }));
    });
  };

  test('is told in one message, without a stack', async () => {
    for (const words of [
      ['explain', '6'],
      ['explain', '6', '--json'],
      ['run', '--help'],
      ['completion', 'bash'],
    ]) {
      const { status, other } = await ends(words, 'stdout');
      assert.equal(status, 5, words.join(' '));
      assert.match(
        other,
        /^error the output was not written: ENOSPC[^\n]* \[OUTPUT_FAILED\]\nhint [^\n]*\n$/,
      );
    }
  });

  test('changes no exit status when it is standard error', async () => {
    assert.deepEqual(await ends(['explain', 'NO_SUCH_CODE'], 'stderr'), { status: 2, other: '' });
  });

  test('lets no tool run that the hook would have blocked', async () => {
    assert.deepEqual(await ends(['hook'], 'stderr', PUSH), { status: 2, other: '' });
    assert.equal((await ends(['hook', '--json'], 'stdout', PUSH)).status, 2);
  });
});
