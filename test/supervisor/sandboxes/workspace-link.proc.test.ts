import assert from 'node:assert/strict';
import { chmodSync, chownSync, lchownSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { openBench } from '../../setup/bench-home.ts';

const skip = process.getuid?.() === 0 ? false : 'only root runs steps as somebody else';
const ANN = 12_345;

describe('a run of root in the workspace of another user', { skip, timeout: 60_000 }, () => {
  test('is refused once that user has put a link to a folder of root in its place', async () => {
    const bench = openBench();
    try {
      const base = dirname(bench.workspace);
      const [inner, common] = [join(bench.workspace, 'inner'), join(base, 'common')];
      for (const folder of [inner, common]) {
        mkdirSync(join(folder, '.q-skills'), { recursive: true });
        const skill = { name: 'who', type: 'code_inline', command: 'id', args: ['-u'] };
        writeFileSync(join(folder, '.q-skills/who.json'), JSON.stringify(skill));
      }
      // As /tmp is: a folder of root in which everybody writes.
      chmodSync(common, 0o1777);
      for (const path of [base, bench.workspace, inner]) chmodSync(path, 0o755);
      for (const path of [bench.workspace, inner]) chownSync(path, ANN, ANN);
      const file = bench.workflow('who', {
        steps: [{ id: 'a', type: 'skill', skill: 'who', outputs: ['text'] }],
      });
      const before = await bench.q('run', file, '--workspace', inner, '--json');
      assert.match(before.stdout, /"text":"12345"/, before.stderr);

      renameSync(inner, `${inner}.moved`);
      symlinkSync(common, inner);
      lchownSync(inner, ANN, ANN);
      const after = await bench.q('run', file, '--workspace', inner);
      assert.equal(after.status, 6, after.stdout);
      assert.match(
        after.stderr,
        /inner, on the way to the workspace, is a link of somebody else \[WORKSPACE_UNSAFE\]/,
      );
    } finally {
      await bench.close();
    }
  });
});
