import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseKillScope } from '../../../../src/guard/kill/kill-scope.ts';
import { findPolicies, policyPlaces } from '../../../../src/guard/policy/files/find-policies.ts';

describe('folders of policies', () => {
  test('one that nobody made holds none; a link that leads nowhere makes its layer deny', async (t) => {
    const base = mkdtempSync(join(tmpdir(), 'qw-find-'));
    t.after(() => rmSync(base, { recursive: true }));
    const faults = async (config: string, workspace: string): Promise<string[]> =>
      (await findPolicies(policyPlaces(join(base, workspace), join(base, config)))).flatMap(({ policy }) =>
        policy.fault === null ? [] : [policy.layer],
      );
    mkdirSync(join(base, 'config'));
    mkdirSync(join(base, 'workspace'));
    assert.deepEqual(await faults('config', 'workspace'), []);
    mkdirSync(join(base, 'linked', 'q-workflow'), { recursive: true });
    symlinkSync('/nowhere/policies', join(base, 'linked', 'q-workflow', 'policies'));
    assert.deepEqual(await faults('linked', 'workspace'), ['user']);
    mkdirSync(join(base, 'above'));
    symlinkSync('/nowhere', join(base, 'above', 'q-workflow'));
    assert.deepEqual(await faults('above', 'workspace'), ['user']);
    mkdirSync(join(base, 'other', '.amazonq'), { recursive: true });
    symlinkSync('/nowhere', join(base, 'other', '.amazonq', 'policies'));
    assert.deepEqual(await faults('config', 'other'), ['workspace']);
  });

  test('one that a step has filled leaves room for others between its files', async (t) => {
    const base = mkdtempSync(join(tmpdir(), 'qw-find-'));
    t.after(() => rmSync(base, { recursive: true }));
    const places = policyPlaces(base, base);
    mkdirSync(places.workspace, { recursive: true });
    for (const name of ['a', 'b', 'c', 'd']) writeFileSync(join(places.workspace, `${name}.json`), '{}');
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    assert.equal((await findPolicies(places)).length, 4);
    isOver = true;
    assert.ok(turns >= 4, `${turns} turns of the event loop`);
  });
});

test('a kill switch on an alias of a tool is one on the tool', () => {
  for (const name of ['shell', 'bash', 'execute_bash'])
    assert.equal(parseKillScope(`tool:${name}`), 'tool:execute_bash');
  assert.equal(parseKillScope('tool:@notes/save'), 'tool:@notes/save');
});
