import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { folderSources } from '../../../src/supervisor/definitions/workflow-folders.ts';

test('a workspace full of large files is read with room between for others', async () => {
  const workspace = mkdtempSync(join(tmpdir(), 'qw-folders-'));
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    turns += 1;
    if (!isOver) setImmediate(turn);
  };
  try {
    const folder = join(workspace, '.amazonq/workflows');
    mkdirSync(folder, { recursive: true });
    const text = `[${'{"a": 1}, '.repeat(90_000)}0]`;
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) writeFileSync(join(folder, `${name}.json`), text);
    writeFileSync(join(folder, 'g.json'), '{"name": "last"}');
    const caller = { workspace, userHome: workspace, configHome: workspace, person: 'ann' };
    setImmediate(turn);
    const names: string[] = [];
    for await (const { name } of folderSources(caller)) names.push(name);
    assert.deepEqual(names, ['a', 'b', 'c', 'd', 'e', 'f', 'last']);
    assert.ok(turns >= 3, `${turns} turns of the event loop`);
  } finally {
    isOver = true;
    rmSync(workspace, { recursive: true });
  }
});

test('a file that is larger than a name is looked for in goes by its own', async () => {
  const workspace = mkdtempSync(join(tmpdir(), 'qw-folders-'));
  try {
    mkdirSync(join(workspace, '.amazonq/workflows'), { recursive: true });
    const text = JSON.stringify({ name: 'inside', description: 'x'.repeat(1024 * 1024) });
    writeFileSync(join(workspace, '.amazonq/workflows/large.json'), text);
    const caller = { workspace, userHome: workspace, configHome: workspace, person: 'ann' };
    const names: string[] = [];
    for await (const { name } of folderSources(caller)) names.push(name);
    assert.deepEqual(names, ['large']);
  } finally {
    rmSync(workspace, { recursive: true });
  }
});
