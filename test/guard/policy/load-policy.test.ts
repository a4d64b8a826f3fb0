import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findPolicies, readPolicies } from '../../../src/guard/policy/files/find-policies.ts';
import { withPolicies } from '../../../src/guard/policy/files/policy-set.ts';
import { settingsOf } from '../../../src/guard/policy/files/settings.ts';
import { narrowingPolicy } from '../../../src/guard/policy/rules/narrowing.ts';
import { callOf, loadText, setOf, verdictOf } from '../../setup/policies.ts';

async function problems(file: object): Promise<string[]> {
  const loaded = await loadText(JSON.stringify({ apiVersion: 'policy/v1', ...file }));
  return loaded.problems.map(({ severity, path, message, suggestion }) =>
    [severity, path, message, ...(suggestion === undefined ? [] : [`→ ${suggestion}`])].join(' | '),
  );
}

const WRONG: readonly [file: object, said: string][] = [
  [
    { rule: [] },
    'error | $.rule | unknown key "rule"; allowed here: apiVersion, id, description, layer, environments, mode, default, rules, limits, stuck, redact, output_schema, tiers | → rules',
  ],
  [
    { tiers: { skil: 'agent' } },
    'error | $.tiers.skil | unknown key "skil"; allowed here: skill, agent | → skill',
  ],
  [
    { tiers: { 'skill:deploy': 'lax' } },
    'error | $.tiers["skill:deploy"] | "lax" is not allowed; allowed: trusted, skill, agent, untrusted',
  ],
  [{ default: 'alow' }, 'error | $.default | "alow" is not allowed; allowed: allow, ask, deny | → allow'],
  [
    { apiVersion: 'policy/v2' },
    'error | $.apiVersion | "policy/v2" is not allowed; allowed: policy/v1 | → policy/v1',
  ],
  [{ rules: [{ tool: 'x' }] }, 'error | $.rules[0].effect | "effect" is missing'],
  [
    { rules: [{ effect: 'deny', command: { programm: 'x' } }] },
    'error | $.rules[0].command.programm | unknown key "programm"; allowed here: program, subcommand, args, code | → program',
  ],
  [{ rules: [{ effect: 'deny', tool: 5 }] }, 'error | $.rules[0].tool | must be a string, not number 5'],
  [{ rules: [{ effect: 'deny', path: '../x' }] }, 'error | $.rules[0].path | the pattern "../x" holds ".."'],
  [
    { rules: [{ effect: 'deny', path: '${HOME}/x' }] },
    'error | $.rules[0].path | the pattern "${HOME}/x" knows no ${HOME}; there are ${workspace} and ${home}',
  ],
  [
    { rules: [{ effect: 'deny', host: 'http://x/' }] },
    'error | $.rules[0].host | "http://x/" is no host name or address',
  ],
  [
    { rules: [{ effect: 'deny', when: 'argz.x' }] },
    'error | $.rules[0].when | unknown name "argz"; did you mean "args"?',
  ],
  [
    { rules: [{ effect: 'deny', args: { propertis: {} } }] },
    'error | $.rules[0].args | strict mode: unknown keyword: "propertis"',
  ],
  [
    {
      rules: [
        { id: 'a', effect: 'deny' },
        { id: 'a', effect: 'ask' },
      ],
    },
    'error | $.rules[1].id | "a" is the id of another rule of this file',
  ],
  [
    { rules: [{ id: 'r', effect: 'deny', command: 'git push', tests: { match: ['git status'] } }] },
    'error | $.rules[0].tests.match[0] | the rule r does not match "git status"',
  ],
  [
    { rules: [{ id: 'r', effect: 'deny', command: 'git push', tests: { noMatch: ['x; git push'] } }] },
    'error | $.rules[0].tests.noMatch[0] | the rule r matches "x; git push"',
  ],
];

for (const [file, said] of WRONG)
  test(`says what is wrong with ${JSON.stringify(file)}`, async () => {
    assert.ok((await problems(file)).includes(said), (await problems(file)).join('\n'));
    assert.notEqual((await loadText(JSON.stringify(file))).policy.fault, null);
  });

test('a key given twice, text that is no JSON and an empty file are faults', async () => {
  for (const text of ['{"default":"deny","default":"allow"}', '{', '', '[]', 'null'])
    assert.notEqual((await loadText(text)).policy.fault, null, text);
});

test('a star that the network takes for too wide is a warning, and traffic is no unknown tool', async () => {
  const rules = [
    { effect: 'allow', tool: 'network', host: ['*.example.com', '*.com', '*'] },
    { effect: 'deny', host: '*.com' },
  ];
  const { problems, policy } = await loadText(JSON.stringify({ apiVersion: 'policy/v1', rules }));
  assert.deepEqual(problems, [
    {
      severity: 'warning',
      path: '$.rules[0].host',
      message: '"*.com" opens nothing in the network: a star needs two labels after it, or stands alone',
    },
  ]);
  assert.equal(policy.fault, null);
});

test('a missing version and a tool that nobody knows are warnings', async () => {
  const { policy, problems: said } = await loadText('{"rules":[{"effect":"deny","tool":"fs_raed"}]}');
  assert.equal(policy.fault, null);
  assert.deepEqual(
    said.map(({ severity, path }) => [severity, path]),
    [
      ['warning', '$.apiVersion'],
      ['warning', '$.rules[0].tool'],
    ],
  );
});

test('a rule that can never count, or means something else than it looks like, is a warning', async () => {
  const rules = [
    { id: 'all', effect: 'deny', tool: 'execute_bash' },
    { effect: 'deny', command: 'git push.*' },
    { effect: 'deny', command: { program: '^rm$' } },
    { effect: 'deny', tool: 'fs_read', path: '^.*\\.env$' },
    { effect: 'allow', tool: 'fs_read', path: { within: ['$WORKSPACE'] } },
    { effect: 'allow', tool: 'fs_read', command: 'ls' },
    { effect: 'allow', tool: 'fs_read', approval: { by: ['me'] } },
    { effect: 'allow', tool: 'shell', command: 'ls' },
    // None of these is one.
    { effect: 'allow', tool: ['execute_bash', 'exec'], command: 'ls' },
    { effect: 'deny', tool: 'fs_write', path: ['**/.env.*', '${home}/.ssh'], command: undefined },
    { effect: 'allow', tool: 'hook:preToolUse', command: ['npm run test:*', './check.sh'] },
    { effect: 'ask', tool: 'use_aws', approval: { by: ['me'] } },
  ];
  const { problems, policy } = await loadText(JSON.stringify({ apiVersion: 'policy/v1', rules }));
  assert.equal(policy.fault, null);
  const expression = 'looks like a regular expression; here * stands for any letters, as in';
  assert.deepEqual(
    problems.map(({ severity, path, message }) => [severity, path.slice(7), message]),
    [
      ['[1].command', `"git push.*" ${expression} "git push *"`],
      ['[2].command', `"^rm$" ${expression} "git push *"`],
      ['[3].path', `"^.*\\.env$" ${expression} "**/*.env"`],
      ['[4].path', '"$WORKSPACE" is the name of a file; variables are ${workspace} and ${home}'],
      ['[5].command', 'no tool of this rule runs commands: execute_bash and exec do'],
      ['[6].approval', 'nobody is asked by a rule whose effect is allow'],
      ['[7].tool', 'never counts: the rule all denies all calls of these tools'],
    ].map(([path, message]) => ['warning', path, message]),
  );
});

test('tests in a file may be commands, paths, URLs, tools or whole calls', async () => {
  const rules = [
    { effect: 'deny', command: 'rm', tests: { match: ['rm x'], noMatch: ['ls'] } },
    { effect: 'allow', tool: 'fs_write', path: 'src/**', tests: { match: ['src/a'], noMatch: ['a'] } },
    {
      effect: 'deny',
      host: '*.evil.com',
      tests: { match: ['http://a.evil.com'], noMatch: ['http://evil.com'] },
    },
    { effect: 'deny', tool: '@git/*', tests: { match: ['@git/push'], noMatch: ['@github/push'] } },
    {
      effect: 'ask',
      tool: 'use_aws',
      when: 'args.service_name == "s3" && env.name == "production"',
      tests: {
        match: [{ args: { service_name: 's3' }, environment: 'production' }],
        noMatch: [{ args: { service_name: 's3' } }],
      },
    },
  ];
  assert.deepEqual(await problems({ rules }), []);
});

describe('files', () => {
  let base: string;
  const policy = (
    layer: string,
    text = '{"apiVersion":"policy/v1","default":"deny"}',
    name = 'a',
  ): string => {
    const file = join(base, layer, `${name}.json`);
    mkdirSync(join(base, layer), { recursive: true });
    writeFileSync(file, text, { mode: 0o644 });
    return file;
  };
  const faults = async (file: string): Promise<string | null> =>
    (await readPolicies([file]))[0]?.policy.fault ?? null;
  before(() => {
    base = mkdtempSync(join(tmpdir(), 'qw-policies-'));
  });
  after(() => rmSync(base, { recursive: true }));

  test('every folder gives its files its layer, and may hold files for layers below', async () => {
    policy('org', '{"apiVersion":"policy/v1"}', 'b');
    policy('org', '{"apiVersion":"policy/v1","layer":"environment"}', 'c');
    policy('user');
    policy('ws', '{"apiVersion":"policy/v1","layer":"organisation","default":"allow"}');
    const found = await findPolicies({
      organisation: join(base, 'org'),
      user: join(base, 'user'),
      workspace: join(base, 'ws'),
    });
    assert.deepEqual(
      found.map(({ policy: each }) => [each.layer, each.id, each.fault]),
      [
        ['organisation', 'b', null],
        ['environment', 'c', null],
        ['user', 'a', null],
        [
          'workspace',
          'a',
          '$.layer: "organisation" is not the layer of the folder it lies in, which is "workspace"',
        ],
      ],
    );
  });

  test('a file or folder that others may write cannot be used', async () => {
    const file = policy('loose');
    assert.equal(await faults(file), null);
    chmodSync(file, 0o666);
    assert.equal(await faults(file), `$: ${file} may be written by others (mode 666); chmod go-w ${file}`);
    chmodSync(file, 0o644);
    chmodSync(join(base, 'loose'), 0o777);
    assert.match((await faults(file)) ?? '', /loose may be written by others \(mode 777\)/);
    chmodSync(join(base, 'loose'), 0o755);
  });

  test('a link out of the folder cannot be used', async () => {
    const file = policy('links');
    const outside = join(base, 'outside.json');
    writeFileSync(outside, '{}');
    symlinkSync('a.json', join(base, 'links', 'same.json'));
    symlinkSync(outside, join(base, 'links', 'out.json'));
    assert.equal(await faults(file), null);
    assert.equal(await faults(join(base, 'links', 'same.json')), null);
    const link = join(base, 'links', 'out.json');
    assert.equal(await faults(link), `$: ${link} is a link that leads out of its folder, to ${outside}`);
  });

  test('a file that cannot be read, and a folder in the place of a file, deny', async () => {
    mkdirSync(join(base, 'org2', 'x.json'), { recursive: true });
    symlinkSync('nowhere', join(base, 'org2', 'dangling.json'));
    const found = await findPolicies({
      organisation: join(base, 'org2'),
      user: base,
      workspace: join(base, 'none'),
    });
    const org = found.filter(({ policy: each }) => each.layer === 'organisation');
    assert.deepEqual(
      org.map(({ policy: each }) => each.fault !== null),
      [true, true],
    );
  });

  test('a file that is not there is an error', async () => {
    await assert.rejects(readPolicies([join(base, 'nothing.json')]), {
      code: 'POLICY_NOT_FOUND',
      exitStatus: 4,
      message: `there is no policy file ${join(base, 'nothing.json')}`,
    });
  });
});

test('an agent or step only narrows, by its list of tools', async () => {
  const top = await setOf({ default: 'deny', rules: [{ effect: 'allow', tool: ['fs_*', 'execute_bash'] }] });
  const narrowed = withPolicies(top, [
    narrowingPolicy('agent', 'helper', { allowedTools: ['read', 'http_fetch'] }),
    narrowingPolicy('step', 'triage', { deniedTools: ['fs_list'], limits: { iterations: 3 } }),
  ]);
  const decision = (tool: string): string => verdictOf(narrowed, callOf(tool, { path: 'a' })).decision;
  assert.equal(decision('fs_read'), 'allow');
  assert.equal(decision('fs_write'), 'deny');
  assert.equal(decision('http_fetch'), 'deny');
  assert.equal(decision('fs_list'), 'deny');
  assert.equal(settingsOf(narrowed).limits.iterations, 3);
  assert.notEqual(narrowed.hash, top.hash);
  const none = withPolicies(top, [narrowingPolicy('step', 'none', { allowedTools: [] })]);
  assert.equal(verdictOf(none, callOf('fs_read', { path: 'a' })).decision, 'deny');
});
