import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  compileRules,
  judgeTarget,
  type NetworkRules,
  reachableAddresses,
} from '../../sandbox/network/rules.ts';
import { parseAuthority } from '../../sandbox/network/target.ts';
import { decideNetworks, networkRules } from '../../src/guard/network.ts';
import type { PolicyFile, RuleFile } from '../../src/guard/policy/files/policy-file.ts';
import { type PolicySet, policySet, withPolicies } from '../../src/guard/policy/files/policy-set.ts';
import { narrowingPolicy } from '../../src/guard/policy/rules/narrowing.ts';
import { decideTiers } from '../../src/guard/tiers.ts';
import { callOf, loadText, setOf } from '../setup/policies.ts';
import { load, skill } from '../setup/workflows.ts';

const TOOLS = ['http_fetch', 'exec', 'execute_bash', 'use_skill', '@far', '@near'] as const;

type Networks = Readonly<Record<string, Readonly<Record<string, NetworkRules>>>>;

/** An agent step `a` with two MCP servers, and a skill step `b` in the tier of agents. */
async function networksUnder(set: PolicySet): Promise<Networks> {
  const steps = [
    { id: 'a', type: 'agent', agent: 'helper' },
    skill('b', { sandbox: { tier: 'agent' } }),
    skill('c'),
  ];
  const { workflow } = await load({ steps });
  assert.ok(workflow !== null);
  const networks = decideNetworks({
    workflow,
    tiers: decideTiers(workflow, '/f.json', policySet([], [])),
    serversOf: (agent) => (agent === 'helper' ? ['far', 'near'] : []),
    hasHooks: () => false,
    policiesOf: () => set,
  });
  for (const { policyHash } of Object.values(networks)) assert.equal(policyHash, set.hash);
  return Object.fromEntries(Object.entries(networks).map(([id, { tools }]) => [id, tools]));
}

/** Who of the tools of the agent reaches a place, and `b` when the skill step does. */
function whoReaches(networks: Networks, authority: string, resolved = ['8.8.8.8']): string[] {
  const target = parseAuthority(authority);
  assert.ok(target !== null, authority);
  const reaches = (rules: NetworkRules | undefined): boolean => {
    if (rules === undefined) return false;
    const compiled = compileRules(rules);
    const addresses = target.host.kind === 'address' ? [target.host.address] : resolved;
    return (
      judgeTarget(compiled, target).isListed &&
      reachableAddresses(compiled, target, addresses, () => false).length > 0
    );
  };
  return [
    ...TOOLS.filter((tool) => reaches(networks['a']?.[tool])),
    ...(reaches(networks['b']?.['skill']) ? ['b'] : []),
  ];
}

const top = (...rules: RuleFile[]): PolicyFile => ({ id: 'top', layer: 'user', default: 'deny', rules });
const below = (more: Partial<PolicyFile>): PolicyFile => ({ id: 'below', layer: 'workspace', ...more });
const API = 'api.example.com:443';
const ALL = [...TOOLS, 'b'];
const allow = (host: RuleFile['host'], more: Partial<RuleFile> = {}): RuleFile =>
  ({ effect: 'allow', host, ...more }) as RuleFile;

describe('what is granted', () => {
  test('without a rule that allows a host nothing is reached, whatever the default is', async () => {
    for (const file of [
      top(),
      { ...top(), default: 'allow' } as const,
      { ...top({ effect: 'allow', tool: '*' }), default: 'allow' } as const,
      top({ effect: 'allow', tool: 'network' }),
      top({ effect: 'ask', host: 'api.example.com' }),
    ])
      assert.deepEqual(await networksUnder(await setOf(file)), {});
    assert.deepEqual(await networksUnder(policySet([], [])), {});
  });

  test('files and conditions of the environment of the set count', async () => {
    const { policies } = await setOf(
      top(allow('api.example.com', { when: "env.name == 'production'" })),
      below({ environments: ['staging'], rules: [{ effect: 'deny', tool: 'network' }] }),
    );
    const reachedIn = async (environment: string): Promise<string[]> =>
      whoReaches(await networksUnder(policySet(policies, [], null, environment)), API);
    assert.deepEqual(await reachedIn('production'), ALL);
    assert.deepEqual(await reachedIn('default'), []);
    const open = await setOf(
      top(allow('api.example.com')),
      below({ environments: ['staging'], default: 'deny' }),
    );
    assert.deepEqual(whoReaches(await networksUnder(open), API), ALL);
    const staged = policySet(open.policies, [], null, 'staging');
    assert.deepEqual(whoReaches(await networksUnder(staged), API), []);
  });

  test('a rule without a tool, or for the traffic, opens a host for the whole step; other tiers get none', async () => {
    for (const more of [{}, { tool: 'network' }] as const) {
      const networks = await networksUnder(await setOf(top(allow('api.example.com', more))));
      assert.deepEqual(whoReaches(networks, API), ALL);
      assert.deepEqual(whoReaches(networks, 'www.example.com:443'), []);
      assert.equal(networks['c'], undefined);
    }
  });

  test('a rule for a tool opens a host for the processes of this tool', async () => {
    const cases: readonly (readonly [RuleFile['tool'], readonly string[]])[] = [
      ['http_fetch', ['http_fetch']],
      ['fetch', ['http_fetch']],
      [
        ['exec', 'execute_*'],
        ['exec', 'execute_bash'],
      ],
      ['@builtin', ['http_fetch', 'exec', 'execute_bash', 'use_skill']],
      ['*', [...TOOLS]],
      ['@far', ['@far']],
      ['@far/*', ['@far']],
      ['@*/*', ['@far', '@near']],
      // A server is one process for all its tools.
      ['@far/get', []],
      ['fs_read', []],
      ['s*', []],
      ['model:*', []],
      ['spawn:*', []],
    ];
    for (const [tool, wanted] of cases) {
      const set = await setOf(top(allow('api.example.com', tool === undefined ? {} : { tool })));
      assert.deepEqual(whoReaches(await networksUnder(set), API), wanted, String(tool));
    }
  });

  test('a rule that also speaks of single calls opens nothing', async () => {
    for (const more of [
      { command: 'curl' },
      { path: '${workspace}' },
      { args: { type: 'object' } },
      { rate: { per_run: 5 } },
      { when: 'args.method == "GET"' },
      { when: 'tool == "http_fetch"' },
      { when: 'size(args) == 0' },
      { when: 'agent == "other"' },
      { when: 'env.name == "production"' },
    ] as const)
      assert.deepEqual(
        await networksUnder(await setOf(top(allow('api.example.com', more)))),
        {},
        JSON.stringify(more),
      );
    const set = await setOf(top(allow('api.example.com', { when: 'agent == "helper" && step == "a"' })));
    assert.deepEqual(whoReaches(await networksUnder(set), API), [...TOOLS]);
  });

  test('names, ports and classes mean what they mean for a call', async () => {
    const set = await setOf(
      top(
        allow(['*.example.com', 'one.example:8443', '10.0.0.5']),
        allow({ names: ['port.example', 'both.example:80'], ports: [443] }),
        allow({ names: 'db.corp.example', classes: ['private'], ports: 5432 }),
        allow({ classes: ['loopback'], ports: [3000] }),
      ),
    );
    const networks = await networksUnder(set);
    const reached = (authority: string, ...resolved: string[]): boolean =>
      whoReaches(networks, authority, resolved).length > 0;
    for (const authority of [
      'api.example.com:443',
      'a.b.example.com:1',
      'one.example:8443',
      'port.example:443',
    ])
      assert.ok(reached(authority, '8.8.8.8'), authority);
    for (const authority of [
      'example.com:443',
      'one.example:443',
      'port.example:80',
      'both.example:80',
      'both.example:443',
    ])
      assert.ok(!reached(authority, '8.8.8.8'), authority);
    assert.ok(reached('10.0.0.5:1'));
    assert.ok(!reached('10.0.0.6:1'));
    assert.ok(reached('db.corp.example:5432', '10.9.9.9'));
    assert.ok(!reached('db.corp.example:5432', '8.8.8.8'));
    // A public name that leads to this machine, or to a private address that no rule lists.
    assert.ok(!reached(API, '127.0.0.1', '10.0.0.6', '169.254.169.254'));
    assert.ok(reached('127.0.0.1:3000') && reached('[::1]:3000') && reached('localhost:3000', '127.0.0.1'));
    assert.ok(!reached('127.0.0.1:3001') && !reached('10.0.0.6:3000') && !reached('8.8.8.8:3000'));
  });

  test('a wildcard that is too wide opens nothing, one star opens every public host', async () => {
    for (const host of ['*.com', '*example.com', 'api.*'])
      assert.deepEqual(await networksUnder(await setOf(top(allow(host)))), {}, host);
    const networks = await networksUnder(await setOf(top(allow({ names: '*', ports: 443 }))));
    assert.deepEqual(whoReaches(networks, API), ALL);
    for (const place of ['8.8.8.8:443', '127.0.0.1:443', 'api.example.com:80'])
      assert.deepEqual(whoReaches(networks, place), [], place);
    assert.deepEqual(whoReaches(networks, API, ['10.0.0.1']), []);
  });
});

describe('what is narrowed', () => {
  const wide = top(allow('*.example.com'), allow({ classes: ['private'] }));

  test('a rule of any layer that asks or denies refuses, for whatever tool runs', async () => {
    for (const effect of ['ask', 'deny'] as const)
      for (const more of [
        {},
        { tool: 'network' },
        { tool: 'http_fetch' },
        { tool: 'FETCH*' },
        { tool: ['@other', 'exec'] },
        { command: 'git push' },
        { args: { type: 'object' } },
        { rate: { per_run: 5 } },
        { when: 'args.method == "POST"' },
        { when: 'size(args) > 0' },
        { when: 'agent == "helper" || step == "b"' },
      ] as const) {
        const rule: RuleFile = { effect, host: 'api.example.com', ...more };
        for (const set of [
          await setOf(wide, below({ rules: [rule] })),
          await setOf({ ...wide, rules: [...(wide.rules ?? []), rule] }),
        ]) {
          const networks = await networksUnder(set);
          assert.deepEqual(whoReaches(networks, API), [], JSON.stringify(rule));
          assert.deepEqual(whoReaches(networks, 'www.example.com:443'), ALL, JSON.stringify(rule));
        }
      }
  });

  test('a guard of one server, or one that surely does not hold, leaves the rest', async () => {
    const guards: readonly (readonly [Partial<RuleFile>, readonly string[]])[] = [
      [{ tool: '@far' }, ALL.filter((tool) => tool !== '@far')],
      [{ tool: '@FAR/get' }, ALL.filter((tool) => tool !== '@far')],
      [{ tool: '@*/get' }, ALL.filter((tool) => !tool.startsWith('@'))],
      [{ tool: 'use_aws' }, ALL],
      [{ when: 'agent == "other"' }, ALL],
      [{ when: 'agent == "helper"' }, ['b']],
    ];
    for (const [more, wanted] of guards) {
      const rule: RuleFile = { effect: 'deny', host: 'api.example.com', ...more };
      const networks = await networksUnder(await setOf(wide, below({ rules: [rule] })));
      assert.deepEqual(whoReaches(networks, API), wanted, JSON.stringify(more));
    }
  });

  test('a guard without hosts is about calls, unless it names the traffic', async () => {
    const under = async (rule: RuleFile): Promise<string[]> =>
      whoReaches(await networksUnder(await setOf(wide, below({ rules: [rule] }))), API);
    assert.deepEqual(await under({ effect: 'ask', tool: 'http_fetch' }), ALL);
    assert.deepEqual(await under({ effect: 'deny', tool: 'network' }), []);
    assert.deepEqual(await under({ effect: 'ask', tool: ['network'], when: 'step == "a"' }), ['b']);
  });

  test('a guard on classes or addresses holds for names that lead there', async () => {
    const guard: RuleFile = { effect: 'deny', host: { classes: ['private'] } };
    const networks = await networksUnder(await setOf(wide, below({ rules: [guard] })));
    assert.deepEqual(whoReaches(networks, '10.0.0.1:80'), []);
    assert.deepEqual(whoReaches(networks, API, ['10.0.0.1']), []);
    assert.deepEqual(whoReaches(networks, API), ALL);
    const one = await networksUnder(
      await setOf(wide, below({ rules: [{ effect: 'deny', host: '8.8.8.8' }] })),
    );
    assert.deepEqual(whoReaches(one, API), []);
    assert.deepEqual(whoReaches(one, API, ['9.9.9.9']), ALL);
  });

  test('a layer below with a default lets through what its own rules do, and opens nothing', async () => {
    for (const fallback of ['ask', 'deny'] as const) {
      const own = below({ default: fallback, rules: [allow(['api.example.com', 'other.example'])] });
      const networks = await networksUnder(await setOf(wide, own));
      assert.deepEqual(whoReaches(networks, API), ALL);
      for (const place of ['www.example.com:443', 'other.example:443', '10.0.0.1:80'])
        assert.deepEqual(whoReaches(networks, place), [], place);
      assert.deepEqual(await networksUnder(await setOf(wide, below({ default: fallback }))), {});
    }
    for (const open of [{ default: 'allow' } as const, { rules: [allow('other.example')] }])
      assert.deepEqual(
        whoReaches(await networksUnder(await setOf(wide, below(open))), 'www.example.com:443'),
        ALL,
      );
    const opening = await setOf(top(), below({ default: 'allow', rules: [allow('api.example.com')] }));
    assert.deepEqual(await networksUnder(opening), {});
  });

  test('two files of a layer below narrow each by itself', async () => {
    const file = (id: string, host: string): PolicyFile => ({
      ...below({ default: 'deny', rules: [allow(host)] }),
      id,
    });
    const networks = await networksUnder(
      await setOf(wide, file('one', 'api.example.com'), file('two', '*.example.com')),
    );
    assert.deepEqual(whoReaches(networks, API), ALL);
    assert.deepEqual(whoReaches(networks, 'www.example.com:443'), []);
    const apart = await setOf(wide, file('one', 'api.example.com'), file('two', 'www.example.com'));
    for (const place of [API, 'www.example.com:443'])
      assert.deepEqual(whoReaches(await networksUnder(apart), place), []);
  });

  test('the tools of an agent or step narrow the tools, not where they go', async () => {
    const set = withPolicies(await setOf(wide), [
      narrowingPolicy('agent', 'helper', { allowedTools: ['http_fetch', 'exec', '@far/get'] }),
      narrowingPolicy('step', 'a', {
        allowedTools: ['exec', '@far/*', 'fs_read'],
        deniedTools: ['use_skill'],
      }),
    ]);
    assert.deepEqual(whoReaches(await networksUnder(set), API), ['exec', '@far']);
  });

  test('an agent that is a program reaches what rules open for the traffic, whatever its tools are', async () => {
    const set = await setOf(
      top(
        { effect: 'allow', tool: 'network', host: 'model.example.com:443' },
        { effect: 'allow', tool: 'http_fetch', host: 'pages.example.com:443' },
        { effect: 'deny', tool: 'network', host: 'old.model.example.com' },
      ),
    );
    const { workflow } = await load({ steps: [{ id: 'a', type: 'agent', agent: 'helper' }] });
    assert.ok(workflow !== null);
    const narrowed = withPolicies(set, [narrowingPolicy('agent', 'helper', { allowedTools: ['fs_read'] })]);
    const networks = decideNetworks({
      workflow,
      tiers: decideTiers(workflow, '/f.json', policySet([], [])),
      serversOf: () => null,
      hasHooks: () => true,
      policiesOf: () => narrowed,
    });
    const { tools } = networks['a'] ?? assert.fail('nothing is reached');
    assert.deepEqual(Object.keys(tools), ['program']);
    const reaches = (authority: string): boolean => {
      const target = parseAuthority(authority) ?? assert.fail(authority);
      return judgeTarget(compileRules(tools['program'] ?? assert.fail()), target).isListed;
    };
    assert.deepEqual(
      [
        'model.example.com:443',
        'pages.example.com:443',
        'old.model.example.com:443',
        'x.example.com:443',
      ].map(reaches),
      [true, false, false, false],
    );
  });

  test('hooks reach what is open to the whole step, to the traffic or to hooks', async () => {
    const { workflow } = await load({ steps: [{ id: 'a', type: 'agent', agent: 'helper' }] });
    assert.ok(workflow !== null);
    const opened = async (tool: RuleFile['tool'] | null, hasHooks = true): Promise<string[]> => {
      const set = await setOf(top(allow('api.example.com', tool === null ? {} : { tool: tool ?? '' })));
      const networks = decideNetworks({
        workflow,
        tiers: decideTiers(workflow, '/f.json', policySet([], [])),
        serversOf: () => [],
        hasHooks: () => hasHooks,
        policiesOf: () => set,
      });
      return Object.keys(networks['a']?.tools ?? {});
    };
    for (const tool of [null, 'network']) assert.ok((await opened(tool)).includes('hook'), String(tool));
    assert.deepEqual(await opened('hook:*'), ['hook']);
    for (const tool of ['*', '@builtin', 'execute_bash', 'hook:stop', 'hook'])
      assert.ok(!(await opened(tool)).includes('hook'), tool);
    assert.ok(!(await opened(null, false)).includes('hook'));
    const refusals = async (tool: string): Promise<number | undefined> => {
      const rule: RuleFile = { effect: 'deny', tool, host: 'api.example.com' };
      const set = await setOf(top(allow('api.example.com'), rule));
      return networkRules(set, 'hook', callOf('network', {}))?.refuse?.length;
    };
    assert.deepEqual(
      [await refusals('hook:stop'), await refusals('exec'), await refusals('@far')],
      [1, 1, 0],
    );
  });

  test('a file that cannot be used closes all of it, one in shadow mode nothing', async () => {
    const broken = await loadText('{"layer": "step", "rules": [{}]}', 'broken');
    assert.notEqual(broken.policy.fault, null);
    assert.deepEqual(await networksUnder(withPolicies(await setOf(wide), [broken.policy])), {});
    const shadow = below({ mode: 'shadow', default: 'deny', rules: [{ effect: 'deny', host: '*' }] });
    assert.deepEqual(whoReaches(await networksUnder(await setOf(wide, shadow)), API), ALL);
    assert.deepEqual(await networksUnder(await setOf({ ...wide, mode: 'shadow' })), {});
  });
});
