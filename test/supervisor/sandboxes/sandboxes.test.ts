import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Layer, Layers } from '../../../sandbox/layers.ts';
import { locateHome } from '../../../src/protocol/home.ts';
import { openSandboxes } from '../../../src/supervisor/sandboxes/sandboxes.ts';

function layersWith(bubblewrap: Partial<Layer>): Layers {
  const missing = { path: null, version: '', note: 'it is not here', fix: 'install it' };
  return {
    setpriv: { ...missing, name: 'setpriv' },
    bubblewrap: { ...missing, name: 'bubblewrap', takesDescriptors: false, ...bubblewrap },
    seccomp: { ...missing, name: 'seccomp' },
  };
}

test('a layer that gave no answer on a busy machine is looked for again; any other answer is kept', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'qw-sandboxes-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const answers = [layersWith({ note: 'no answer within 2000 ms', isLate: true }), layersWith({})];
  let probes = 0;
  const probe = async (): Promise<Layers> => answers[probes++] ?? assert.fail('it was known');
  const sandboxes = openSandboxes(locateHome({ Q_WORKFLOW_HOME: folder }), probe);
  const notes: string[] = [];
  for (let time = 0; time < 3; time += 1) notes.push((await sandboxes.offer(folder)).layers.bubblewrap.note);
  assert.deepEqual(notes, ['no answer within 2000 ms', 'it is not here', 'it is not here']);
});
