import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, type TestContext, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import type { StatusDocument } from '../../src/protocol/control.ts';
import { type Bench, type BenchOptions, openBench } from '../setup/bench-home.ts';
import { outputsOf, runToEnd } from '../setup/leftovers.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

function benchFor(t: TestContext, options: BenchOptions = {}): Bench {
  const bench = openBench(options);
  t.after(() => bench.close());
  bench.skill('sh', { type: 'code_inline', command: 'sh', args: ['-c', 'eval "$1"', 'sh', '{script}'] });
  return bench;
}

const step = (id: string, script: string, more: object = {}): object => ({
  id,
  type: 'skill',
  skill: 'sh',
  inputs: { script: { literal: script } },
  ...more,
});

function auditOf(bench: Bench, id: string, type: string): Record<string, unknown>[] {
  const database = new DatabaseSync(join(bench.home, 'q-workflow.db'), { readOnly: true });
  try {
    return database
      .prepare('SELECT body FROM audit WHERE instance = ? AND type = ? ORDER BY seq')
      .all(id, type)
      .map((row) => (JSON.parse(String(row['body'])) as { data: Record<string, unknown> }).data);
  } finally {
    database.close();
  }
}

function policyFile(bench: Bench, layer: 'user' | 'workspace', content: object): string {
  const folder =
    layer === 'user'
      ? join(bench.env['HOME'] ?? '', '.config', 'q-workflow', 'policies')
      : join(bench.workspace, '.amazonq', 'policies');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'tiers.json');
  writeFileSync(file, JSON.stringify({ apiVersion: 'policy/v1', ...content }), { mode: 0o600 });
  return file;
}

describe('the tiers of a run', { timeout: 300_000 }, () => {
  test('what is held is in the status and in the audit, and a step is in its sandbox', {
    skip: lacks,
  }, async (t) => {
    const bench = benchFor(t);
    writeFileSync(join(dirname(bench.workspace), 'beside'), 'secret');
    const look = `test ! -e ${dirname(bench.workspace)}/beside && test ! -e ${bench.home}/q-workflow.db && echo blind`;
    bench.workflow('held', {
      steps: [
        step('a', look),
        step('b', 'ls -A | wc -l', { sandbox: { tier: 'untrusted', mode: 'required' } }),
      ],
    });
    const { run, code } = await runToEnd(bench, 'held');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.equal(outputsOf(run, 'a').stdout, 'blind');
    assert.equal(outputsOf(run, 'b').stdout, '0');
    const layers = { held: ['setpriv', 'bubblewrap', 'seccomp'], missing: [] };
    const tiers = { a: 'skill', b: 'untrusted' };
    assert.deepEqual([run.isolation?.layers, run.isolation?.tiers], [layers, tiers]);
    const [launched] = auditOf(bench, run.id, 'instance.launched');
    assert.deepEqual([launched?.['layers'], launched?.['tiers']], [layers, tiers]);
    const permits = auditOf(bench, run.id, 'permit.decided').map(({ path, tier }) => [path, tier]);
    assert.deepEqual(permits, [
      ['a', 'skill'],
      ['b', 'untrusted'],
    ]);
    if (run.isolation?.backend !== 'polling') assert.equal(run.notice, null);
  });

  test('without bubblewrap a run says what it lacks, and goes on where that is allowed', async (t) => {
    const bench = benchFor(t, { bubblewrap: 'refused' });
    bench.workflow('free', { steps: [step('a', 'echo ran')] });
    const { status, stdout } = await bench.q('run', 'free', '--json');
    const run = JSON.parse(stdout) as StatusDocument;
    assert.equal(status, 0);
    const line =
      'Steps run without a file system sandbox: bubblewrap does not work: bwrap: No permissions; allow it to make user namespaces (an AppArmor profile for bwrap).';
    assert.ok(run.notice?.endsWith(line), String(run.notice));
    assert.deepEqual(run.isolation?.layers, { held: ['setpriv'], missing: ['bubblewrap', 'seccomp'] });
    assert.deepEqual(run.isolation?.tiers, { a: 'trusted' });
    assert.deepEqual(
      auditOf(bench, run.id, 'permit.decided').map(({ tier }) => tier),
      ['trusted'],
    );

    const shown = await bench.q('run', 'free');
    assert.equal(shown.stderr.match(/Steps run without a file system sandbox/g)?.length, 1, shown.stderr);

    bench.workflow('strict', { steps: [step('a', 'touch ran')], sandbox: 'required' });
    const refused = await bench.q('run', 'strict', '--json');
    assert.equal(refused.status, 6, refused.stderr);
    assert.match(
      refused.stdout + refused.stderr,
      /the workflow strict requires the tier skill for step \\?"a\\?", and bubblewrap is missing here: Steps run without a file system sandbox/,
    );
    const database = new DatabaseSync(join(bench.home, 'q-workflow.db'), { readOnly: true });
    assert.deepEqual({ ...database.prepare('SELECT count(*) AS n FROM instances').get() }, { n: 2 });
    database.close();
  });

  test('a laxer tier is refused with the file and the field', async (t) => {
    const bench = benchFor(t);
    const file = bench.workflow('lax', { steps: [step('a', 'true', { sandbox: { tier: 'trusted' } })] });
    const { status, stdout, stderr } = await bench.q('run', 'lax', '--json');
    assert.equal(status, 6);
    assert.ok(`${stdout}${stderr}`.includes('TIER_NOT_GRANTED'), stderr);
    assert.ok(
      `${stdout}${stderr}`.includes(file) && `${stdout}${stderr}`.includes('step a: sandbox.tier'),
      stderr,
    );
  });

  test('a policy of the user grants a laxer tier, one of the workspace none', { skip: lacks }, async (t) => {
    const bench = benchFor(t);
    const outside = `test -e ${bench.home}/q-workflow.db && echo sees`;
    const steps = [step('a', outside, { sandbox: { tier: 'trusted' } }), step('b', 'echo blind')];
    bench.workflow('lax', { steps });
    const own = policyFile(bench, 'workspace', { tiers: { skill: 'trusted' } });
    const refused = await bench.q('run', 'lax', '--json');
    assert.equal(refused.status, 6);
    assert.match(
      refused.stdout + refused.stderr,
      /a policy of the organisation or the user would have to grant it/,
    );
    rmSync(own);
    const file = policyFile(bench, 'user', { default: 'ask', tiers: { 'skill:sh': 'trusted' } });
    const { run, code } = await runToEnd(bench, 'lax');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.deepEqual(run.isolation?.tiers, { a: 'trusted', b: 'skill' });
    assert.equal(outputsOf(run, 'a').stdout, 'sees');
    const [created] = auditOf(bench, run.id, 'instance.created');
    assert.match(String(created?.['policy_hash']), /^[0-9a-f]{64}$/);

    policyFile(bench, 'user', { default: 'ask', tiers: { skill: 'agent' } });
    const narrowed = await bench.q('run', 'lax', '--json');
    assert.equal(narrowed.status, 6);
    assert.ok(
      `${narrowed.stdout}${narrowed.stderr}`.includes(`the policy user/tiers (${file}) allows no laxer one`),
      narrowed.stdout,
    );
  });

  test('a folder of the system as workspace is a layer that is missing', { skip: lacks }, async (t) => {
    const bench = benchFor(t);
    const strict = bench.workflow('strict', {
      steps: [{ id: 'a', type: 'skill', skill: 'sh', inputs: { script: 'true' } }],
      sandbox: 'required',
    });
    // Of the user's: the workspace has none.
    const skills = join(bench.env['HOME'] ?? '', '.q-skills');
    mkdirSync(skills, { recursive: true });
    const own = { name: 'sh', type: 'code_inline', command: 'true', args: [] };
    writeFileSync(join(skills, 'sh.json'), JSON.stringify(own));
    const { status, stdout, stderr } = await bench.q('run', strict, '--workspace', '/usr/lib', '--json');
    assert.equal(status, 6, stderr);
    assert.match(
      stdout + stderr,
      /bubblewrap is missing here: Steps run without a file system sandbox: the workspace \/usr\/lib is a folder of the system; use a folder of its own as workspace\./,
    );
  });

  test('steps in the workspace of another user run as that user', {
    skip: lacks || (process.getuid?.() !== 0 && 'only root can be another user') || false,
  }, async (t) => {
    const bench = benchFor(t);
    const uid = Number(spawnSync('id', ['-u', 'nobody'], { encoding: 'utf8' }).stdout);
    spawnSync('chown', ['-R', `${uid}`, bench.workspace]);
    chmodSync(dirname(bench.workspace), 0o755);
    bench.workflow('other', { steps: [step('a', 'id -u; echo $USER; touch mine; stat -c %u mine')] });
    spawnSync('chown', ['-R', `${uid}`, bench.workspace]);
    const { run, code } = await runToEnd(bench, 'other');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.equal(outputsOf(run, 'a').stdout, `${uid}\nnobody\n${uid}`);
  });
});
