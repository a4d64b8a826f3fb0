import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Bench, openBench, ROOT } from '../setup/bench-home.ts';

const GIT_PUSH = JSON.stringify({ tool: 'execute_bash', args: { command: 'git status && git push' } });
const BASE = {
  apiVersion: 'policy/v1',
  id: 'org-base',
  layer: 'organisation',
  default: 'deny',
  rules: [
    { id: 'git', effect: 'allow', tool: 'execute_bash', command: 'git' },
    {
      id: 'no-push',
      effect: 'deny',
      tool: 'execute_bash',
      command: { program: 'git', subcommand: 'push' },
      reason: 'push is done by CI',
      tests: { match: ['git push', 'git -C . push', 'x && git push'], noMatch: ['git status'] },
    },
  ],
};

describe('policy commands', { timeout: 120_000 }, () => {
  let bench: Bench;
  const file = (name: string, content: unknown): string => {
    const path = join(bench.workspace, name);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o644 });
    return path;
  };
  const json = async (
    ...args: string[]
  ): Promise<{ status: number | null; value: Record<string, unknown> }> => {
    const { status, stdout, stderr } = await bench.q('policy', ...args, '--json');
    assert.equal(stderr, '');
    return { status, value: JSON.parse(stdout) as Record<string, unknown> };
  };
  before(() => {
    bench = openBench();
  });
  after(() => bench.close());

  test('explain prints decision, rules, layer, reason and the chain, and exits 0', async () => {
    const base = file('base.json', BASE);
    const { status, value } = await json('explain', GIT_PUSH, '--policy', base);
    assert.equal(status, 0);
    const { policy_hash: hash, ...rest } = value;
    assert.match(String(hash), /^[0-9a-f]{64}$/);
    const link = (part: string, rule: string, effect: string, reason: string): object => ({
      part,
      layer: 'organisation',
      rule: `organisation/org-base#${rule}`,
      effect,
      reason,
    });
    const allowed = 'the rule organisation/org-base#git says allow';
    assert.deepEqual(rest, {
      decision: 'deny',
      rules: ['organisation/org-base#no-push'],
      layer: 'organisation',
      reason: 'push is done by CI (git push)',
      chain: [
        link('git status', 'git', 'allow', allowed),
        link('git push', 'git', 'allow', allowed),
        link('git push', 'no-push', 'deny', 'push is done by CI'),
      ],
      shadow: [],
      approvals: [],
      problems: [],
    });
  });

  test('explain for people', async () => {
    const base = file('base.json', BASE);
    const { status, stdout } = await bench.q('policy', 'explain', GIT_PUSH, '--policy', base);
    assert.equal(status, 0);
    assert.deepEqual(stdout.split('\n'), [
      'deny  push is done by CI (git push)',
      'by organisation/org-base#no-push (organisation)',
      '  allow git status  organisation/org-base#git: the rule organisation/org-base#git says allow',
      '  allow git push  organisation/org-base#git: the rule organisation/org-base#git says allow',
      '  deny  git push  organisation/org-base#no-push: push is done by CI',
      '',
    ]);
  });

  test('several policies are layers, also behind one --policy', async () => {
    const base = file('base.json', BASE);
    const low = file('low.json', {
      apiVersion: 'policy/v1',
      layer: 'step',
      rules: [{ id: 'ask-git', effect: 'ask', command: 'git' }],
    });
    const call = '{"tool":"execute_bash","args":{"command":"git status"}}';
    for (const words of [
      ['explain', call, '--policy', base, '--policy', low],
      ['explain', '--policy', low, base, call],
    ]) {
      const { status, value } = await json(...words);
      assert.deepEqual(
        [status, value['decision'], value['rules'], value['layer']],
        [0, 'ask', ['step/low#ask-git'], 'step'],
      );
    }
  });

  test('explain looks at the workspace that is given', async () => {
    const base = file('paths.json', {
      apiVersion: 'policy/v1',
      default: 'deny',
      rules: [{ id: 'in', effect: 'allow', tool: 'fs_read', path: { within: ['${workspace}'] } }],
    });
    mkdirSync(join(bench.workspace, 'sub'), { recursive: true });
    const call = JSON.stringify({ tool: 'fs_read', args: { path: '../paths.json' } });
    const above = await json('explain', call, '--policy', base, '--workspace', join(bench.workspace, 'sub'));
    assert.equal(above.value['decision'], 'deny');
    const cwd = JSON.stringify({ tool: 'fs_read', args: { path: '../paths.json' }, cwd: 'sub' });
    assert.equal((await json('explain', cwd, '--policy', base)).value['decision'], 'allow');
  });

  test('a policy that cannot be used denies and is named, and explain still exits 0', async () => {
    const broken = file('broken.json', { ...BASE, rule: [] });
    const { status, value } = await json('explain', '{"tool":"thinking","args":{}}', '--policy', broken);
    assert.deepEqual([status, value['decision'], value['layer']], [0, 'deny', 'organisation']);
    assert.match(
      String(value['reason']),
      /broken\.json cannot be used, so its layer denies everything: \$\.rule: unknown key "rule"/,
    );
  });

  test('without --policy the layers of this machine hold, and the shipped one where nobody set any', async () => {
    const call = '{"tool":"fs_read","args":{"path":"README.md"}}';
    const shipped = await json('explain', call);
    assert.deepEqual(
      [shipped.value['decision'], shipped.value['rules']],
      ['allow', ['organisation/default#read-workspace']],
    );
    const folder = join(bench.workspace, '.amazonq', 'policies');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'mine.json'),
      JSON.stringify({ apiVersion: 'policy/v1', rules: [{ id: 'no', effect: 'deny', tool: 'fs_read' }] }),
      { mode: 0o644 },
    );
    const own = await json('explain', call);
    assert.deepEqual(
      [own.value['decision'], own.value['rules'], own.value['layer']],
      ['deny', ['workspace/mine#no'], 'workspace'],
    );
    chmodSync(join(folder, 'mine.json'), 0o666);
    const loose = await json('explain', call);
    assert.deepEqual([loose.value['decision'], loose.value['rules']], ['deny', ['workspace/mine']]);
    const check = await json('check');
    assert.equal(check.status, 3);
    chmodSync(join(folder, 'mine.json'), 0o644);
    assert.equal((await json('check')).status, 0);
  });

  test('wrong calls are usage errors', async () => {
    for (const call of [
      '{',
      '{"args":{}}',
      '{"tool":"x","arg":{}}',
      '[]',
      '{"tool":"x","args":[]}',
      'fs_read',
    ]) {
      const { status, stderr } = await bench.q('policy', 'explain', call);
      assert.equal(status, 2, call);
      assert.match(stderr, /^error the call .*\[USAGE\]\nhint {2}Write \{"tool"/);
    }
    assert.equal((await bench.q('policy', 'explain')).status, 2);
    assert.equal((await bench.q('policy', 'explain', GIT_PUSH, 'x.json')).status, 2);
    assert.equal((await bench.q('policy', 'explain', GIT_PUSH, '--policy', 'nothing.json')).status, 4);
  });

  test('check and test exit 3 for a file that is wrong, with the place', async () => {
    const wrong = {
      ...BASE,
      rules: [{ id: 'a', effect: 'deny', command: 'git push', tests: { match: ['git status'] } }],
    };
    const bad = file('bad.json', wrong);
    for (const command of ['check', 'test']) {
      const { status, value } = await json(command, bad);
      assert.equal(status, 3);
      assert.deepEqual(value['files'], [
        {
          file: bad,
          id: 'org-base',
          layer: 'organisation',
          mode: 'enforce',
          rules: 0,
          tests: 0,
          is_valid: false,
          problems: [
            {
              severity: 'error',
              path: '$.rules[0].tests.match[0]',
              message: 'the rule a does not match "git status"',
            },
          ],
        },
      ]);
    }
  });

  test('a file of cases is run against policies, told apart by what is in it', async () => {
    const base = file('base.json', BASE);
    const cases = file('cases.json', {
      cases: [
        { tool: 'execute_bash', args: { command: 'git push' }, expect: 'deny', rule: 'no-push' },
        { name: 'status', tool: 'execute_bash', args: { command: 'git status' }, expect: 'deny' },
      ],
    });
    const failed = await json('test', base, cases);
    assert.equal(failed.status, 3);
    const results = failed.value['cases'] as { name: string; passed: boolean; decision: string }[];
    assert.deepEqual(
      results.map(({ name, passed, decision }) => [name, passed, decision]),
      [
        ['execute_bash {"command":"git push"}', true, 'deny'],
        ['status', false, 'allow'],
      ],
    );
    const good = file('good.json', [{ tool: 'fs_read', args: { path: 'x' }, expect: 'deny' }]);
    assert.equal((await json('test', '--policy', base, '--cases', good)).status, 0);
    const text = await bench.q('policy', 'test', base, good);
    assert.match(text.stdout, /1 of 1 case as expected/);
  });

  test('the shipped policies are valid', async () => {
    const names = ['default', 'read-only', 'workspace-edit', 'ci'];
    const files = names.map((name) => join(ROOT, 'policies', `${name}.json`));
    const { status, value } = await json('check', ...files);
    assert.equal(status, 0);
    assert.deepEqual(
      (value['files'] as { problems: unknown[] }[]).map(({ problems }) => problems),
      names.map(() => []),
    );
  });
});
