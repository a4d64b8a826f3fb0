import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileRules, judgeTarget, reachableAddresses } from '../../sandbox/network/rules.ts';
import { parseAuthority } from '../../sandbox/network/target.ts';
import type { JsonObject } from '../../src/definition/workflow.ts';
import { decidePermit, type PermitFacts } from '../../src/guard/permits.ts';
import type { PolicyFile, RuleFile } from '../../src/guard/policy/files/policy-file.ts';
import { type PolicySet, withPolicies } from '../../src/guard/policy/files/policy-set.ts';
import { narrowingPolicy } from '../../src/guard/policy/rules/narrowing.ts';
import { NOTHING_COUNTED } from '../../src/guard/run-counts.ts';
import type { Permit, PermitRequest } from '../../src/protocol/instance-link.ts';
import type { ApprovalRow, NewApproval } from '../../src/store/tables/approval-rows.ts';
import { callOf, HOME, loadText, setOf, WORKSPACE } from '../setup/policies.ts';

const NOW = 1_000_000;

function factsFor(policies: PolicySet, more: Partial<PermitFacts> = {}): PermitFacts {
  return {
    workflow: 'w',
    instance: 'i',
    workspace: WORKSPACE,
    home: HOME,
    policies,
    epoch: 1,
    counts: NOTHING_COUNTED,
    now: NOW,
    heldBy: () => null,
    approvals: [],
    approvalMode: 'wait',
    gate: null,
    traffic: callOf('network', {}, { workflow: 'w', agent: 'helper', step: 'a' }),
    ...more,
  };
}

const requestOf = (tool: string, call = 'c1-1'): PermitRequest => ({
  kind: 'tool',
  path: 'a',
  attempt: 1,
  subject: 'helper',
  agentName: 'helper',
  tier: 'agent',
  agent: { iteration: 1, call, tool },
});

const approved = (asked: NewApproval): ApprovalRow => ({
  ...asked,
  instance: 'i',
  status: 'approved',
  decidedAt: NOW,
  decidedBy: 'person ann',
  reason: null,
  answeredAt: null,
  voidAt: null,
});

interface Asked {
  readonly told: readonly string[];
  readonly permit: Permit;
}

/** Asks under one set, has a person approve it, and asks again under another. */
function approve(set: PolicySet, tool: string, args: JsonObject, later = set): Asked {
  const first = decidePermit(requestOf(tool), args, factsFor(set));
  const { requested } = first;
  assert.ok(requested !== null, `${first.permit.decision}: ${first.permit.reason}`);
  const again = decidePermit(requestOf(tool), args, factsFor(later, { approvals: [approved(requested)] }));
  const { network = [] } = requested.request;
  return { told: network.map(({ host, port }) => `${host}:${port}`), permit: again.permit };
}

/** Whether the approved call reaches a place whose name leads to an address. */
function reaches({ network = [] }: Permit, authority: string, resolved = '8.8.8.8', isOwn = false): boolean {
  const target = parseAuthority(authority);
  assert.ok(target !== null, authority);
  const address = target.host.kind === 'address' ? target.host.address : resolved;
  return network.some((way) => {
    const rules = compileRules(way);
    const found = (): string[] => reachableAddresses(rules, target, [address], () => isOwn);
    return judgeTarget(rules, target).isListed && found().length > 0;
  });
}

const top = (...rules: RuleFile[]): PolicyFile => ({ id: 'top', layer: 'user', default: 'ask', rules });
const below = (more: Partial<PolicyFile>): PolicyFile => ({ id: 'below', layer: 'workspace', ...more });
const fetched = (url: string): JsonObject => ({ url });
const ran = (command: string): JsonObject => ({ command });
const API = 'https://api.example.com/v1';

describe('what an approved call may reach', () => {
  test('exactly the host and port that it names, once a person has approved it', async () => {
    const set = await setOf(top());
    const first = decidePermit(requestOf('http_fetch'), fetched(API), factsFor(set));
    assert.deepEqual([first.permit.decision, first.permit.network], ['wait', undefined]);
    const { told, permit } = approve(set, 'http_fetch', fetched(API));
    assert.deepEqual([told, permit.decision], [['api.example.com:443'], 'allow']);
    assert.deepEqual(permit.network, [
      {
        rules: [{ host: 'api.example.com', ports: [443], classes: ['public'], by: 'approval 1' }],
        narrow: [],
        refuse: [],
      },
    ]);
    assert.ok(reaches(permit, 'api.example.com:443'));
    for (const other of ['api.example.com:80', 'www.api.example.com:443', 'example.com:443', '8.8.8.8:443'])
      assert.ok(!reaches(permit, other), other);
  });

  test('another call is asked for by itself, also with the same arguments', async () => {
    const set = await setOf(top());
    const { requested } = decidePermit(requestOf('http_fetch'), fetched(API), factsFor(set));
    assert.ok(requested !== null);
    const facts = factsFor(set, { approvals: [approved(requested)] });
    const later = decidePermit(requestOf('http_fetch', 'c2-1'), fetched(API), facts);
    assert.deepEqual([later.permit.decision, later.permit.network], ['wait', undefined]);
    const changed = decidePermit(requestOf('http_fetch'), fetched('https://other.example.com/'), facts);
    assert.deepEqual([changed.permit.decision, changed.permit.network], ['wait', undefined]);
  });

  test('what is allowed without a person gets nothing beside the rules', async () => {
    const set = await setOf({ ...top(), default: 'allow' });
    const { permit } = decidePermit(requestOf('http_fetch'), fetched(API), factsFor(set));
    assert.deepEqual([permit.decision, permit.network], ['allow', undefined]);
  });

  test('nothing where calls have no proxy of their own', async () => {
    const set = await setOf(top());
    const facts = factsFor(set, { traffic: null });
    const { requested } = decidePermit(requestOf('http_fetch'), fetched(API), facts);
    assert.equal(requested?.request.network, undefined);
    const told = {
      ...requested,
      request: { ...requested?.request, network: [{ host: 'api.example.com', port: 443 }] },
    };
    const again = decidePermit(requestOf('http_fetch'), fetched(API), {
      ...facts,
      approvals: [approved(told as NewApproval)],
    });
    assert.deepEqual([again.permit.decision, again.permit.network], ['allow', undefined]);
  });

  test('an approval of before this was told gives nothing of it', async () => {
    const set = await setOf(top());
    const { requested } = decidePermit(requestOf('http_fetch'), fetched(API), factsFor(set));
    assert.ok(requested !== null);
    const { network: _, ...request } = requested.request;
    const approvals = [approved({ ...requested, request })];
    const again = decidePermit(requestOf('http_fetch'), fetched(API), factsFor(set, { approvals }));
    assert.deepEqual([again.permit.decision, again.permit.network], ['allow', undefined]);
  });
});

describe('which hosts a call names', () => {
  const cases: readonly (readonly [string, JsonObject, readonly string[]])[] = [
    ['http_fetch', fetched('http://API.example.com.:8080/x'), ['api.example.com:8080']],
    ['http_fetch', fetched('http://[2606:4700::1]/'), ['2606:4700::1:80']],
    ['http_fetch', fetched('http://user@api.example.com/'), []],
    ['http_fetch', fetched('ftp://api.example.com/'), []],
    [
      'execute_bash',
      ran('curl -s https://a.example/ | jq . && wget http://b.example:81/x'),
      ['a.example:443', 'b.example:81'],
    ],
    ['execute_bash', ran('curl -sS a.example/x'), ['a.example:80']],
    // What may be the value of an option is no host; a URL is one wherever it stands.
    ['execute_bash', ran('curl -o data.zip https://a.example/data'), ['a.example:443']],
    ['execute_bash', ran('curl -x proxy.example:3128 https://a.example/'), ['a.example:443']],
    ['execute_bash', ran('curl "https://$HOST/" https://a.example/'), ['a.example:443']],
    ['execute_bash', ran('ssh a.example uptime'), []],
    ['execute_bash', ran('echo a.example'), []],
    ['exec', { argv: ['curl', 'https://a.example/'] }, ['a.example:443']],
    ['exec', { argv: ['python3', 'get.py', '--url=https://a.example/'] }, ['a.example:443']],
    ['@far/get', { url: 'https://a.example/x', note: 'see https://b.example' }, ['a.example:443']],
    [
      '@far/get',
      { page: 'https://a.example/x', mirrors: ['http://b.example/'] },
      ['a.example:443', 'b.example:80'],
    ],
    ['@far/get', { host: 'db.example:5432' }, ['db.example:5432']],
    ['@far/get', { host: 'db.example' }, []],
  ];
  for (const [tool, args, wanted] of cases)
    test(`${tool} ${JSON.stringify(args)} names ${wanted.join(' and ') || 'none'}`, async () => {
      assert.deepEqual([...approve(await setOf(top()), tool, args).told].sort(), [...wanted].sort());
    });

  test('none of a call that names too many to read', async () => {
    const words = Array.from({ length: 17 }, (_, index) => `https://h${index}.example/`);
    const set = await setOf(top());
    assert.equal(approve(set, 'execute_bash', ran(`curl ${words.slice(1).join(' ')}`)).told.length, 16);
    assert.deepEqual(approve(set, 'execute_bash', ran(`curl ${words.join(' ')}`)).told, []);
  });
});

describe('what an approval does not lift', () => {
  test('a rule of any layer that denies the traffic', async () => {
    for (const rule of [
      { effect: 'deny', tool: 'network', host: 'api.example.com' },
      { effect: 'deny', tool: 'network' },
      { effect: 'deny', tool: 'network', host: '*' },
      { effect: 'deny', tool: ['network'], host: { ports: 443 } },
    ] as const satisfies readonly RuleFile[])
      for (const set of [await setOf(top(rule)), await setOf(top(), below({ rules: [rule] }))]) {
        const { told, permit } = approve(set, 'http_fetch', fetched(API));
        assert.deepEqual([told, permit.network], [[], undefined], JSON.stringify(rule));
      }
  });

  test('a denial of addresses holds for names that lead there', async () => {
    const set = await setOf(
      top(
        { effect: 'deny', tool: 'network', host: { names: '8.8.8.0' } },
        { effect: 'deny', tool: 'network', host: '8.8.8.8' },
      ),
    );
    const { permit } = approve(set, 'http_fetch', fetched(API));
    assert.deepEqual(
      [reaches(permit, 'api.example.com:443'), reaches(permit, 'api.example.com:443', '9.9.9.9')],
      [false, true],
    );
  });

  test('a denial that came after the approval', async () => {
    const set = await setOf(top());
    for (const rule of [
      { effect: 'deny', tool: 'network', host: '*.example.com' },
      { effect: 'ask', tool: 'network', host: '*.example.com' },
    ] as const satisfies readonly RuleFile[]) {
      const { permit } = approve(
        set,
        'http_fetch',
        fetched(API),
        await setOf(top(), below({ rules: [rule] })),
      );
      assert.deepEqual([permit.decision, permit.network], ['allow', undefined], JSON.stringify(rule));
    }
    const refused = approve(
      set,
      'http_fetch',
      fetched(API),
      await setOf(top({ effect: 'deny', host: 'api.example.com' })),
    );
    assert.deepEqual([refused.permit.decision, refused.permit.code], ['deny', 'POLICY_DENIED']);
  });

  test('a rule that asks and was not part of the question', async () => {
    const other: RuleFile = {
      effect: 'ask',
      tool: 'network',
      host: 'api.example.com',
      approval: { by: ['ann'] },
    };
    assert.deepEqual(approve(await setOf(top(other)), 'http_fetch', fetched(API)).told, []);
    const mine: RuleFile = { effect: 'ask', host: 'api.example.com' };
    assert.ok(
      reaches(approve(await setOf(top(mine)), 'http_fetch', fetched(API)).permit, 'api.example.com:443'),
    );
    const posts: RuleFile = { effect: 'ask', host: 'api.example.com', when: 'args.method == "POST"' };
    assert.deepEqual(approve(await setOf(top(posts)), 'http_fetch', { url: API, method: 'GET' }).told, []);
    assert.equal(approve(await setOf(top(posts)), 'http_fetch', { url: API, method: 'POST' }).told.length, 1);
  });

  test('a layer below that denies all other traffic, unless it speaks of this very place', async () => {
    const toldOf = async (
      file: Partial<PolicyFile>,
      tool: string,
      args: JsonObject,
    ): Promise<readonly string[]> =>
      approve(await setOf(top(), below({ default: 'deny', ...file })), tool, args).told;
    const curl: RuleFile = { effect: 'allow', command: 'curl' };
    const traffic: RuleFile = { effect: 'allow', tool: 'network', host: 'a.example' };
    assert.deepEqual(await toldOf({ rules: [curl] }, 'execute_bash', ran('curl https://b.example/')), []);
    assert.deepEqual(
      await toldOf(
        { rules: [curl, traffic] },
        'execute_bash',
        ran('curl https://a.example/ https://b.example/'),
      ),
      ['a.example:443'],
    );
    assert.deepEqual(
      await toldOf(
        { rules: [{ effect: 'ask', command: 'curl' }] },
        'execute_bash',
        ran('curl https://b.example/'),
      ),
      ['b.example:443'],
    );
    const gets: RuleFile = {
      effect: 'allow',
      tool: 'http_fetch',
      host: 'b.example',
      args: { properties: { method: { const: 'GET' } } },
    };
    assert.deepEqual(await toldOf({ rules: [gets] }, 'http_fetch', fetched('https://b.example/')), [
      'b.example:443',
    ]);
    const asking = await setOf(top(), below({ default: 'ask', rules: [traffic] }));
    assert.deepEqual(approve(asking, 'http_fetch', fetched('https://b.example/')).told, ['b.example:443']);
  });

  test('the tools of agent and step', async () => {
    const set = withPolicies(await setOf(top()), [
      narrowingPolicy('agent', 'helper', { allowedTools: ['http_fetch', '@far/get'] }),
      narrowingPolicy('step', 'a', { allowedTools: ['http_fetch', '@far/*'], deniedTools: ['use_skill'] }),
    ]);
    for (const tool of ['http_fetch', '@far/get'])
      assert.deepEqual(approve(set, tool, fetched(API)).told, ['api.example.com:443']);
    const { permit } = decidePermit(requestOf('exec'), { argv: ['curl', API] }, factsFor(set));
    assert.equal(permit.decision, 'deny');
  });

  test('a file that cannot be used closes all', async () => {
    const broken = await loadText('{"layer": "step", "rules": [{}]}', 'broken');
    const set = await setOf(top());
    const { permit } = approve(set, 'http_fetch', fetched(API), withPolicies(set, [broken.policy]));
    assert.deepEqual([permit.decision, permit.network], ['deny', undefined]);
  });
});

describe('which addresses an approval opens', () => {
  const LOCAL = [
    '127.0.0.1',
    '::1',
    '10.0.0.1',
    '192.168.1.1',
    '169.254.169.254',
    'fd00:ec2::254',
    '100.64.0.1',
  ];

  test('a name that leads to an address of this machine or network is refused', async () => {
    const { permit } = approve(
      await setOf(top({ effect: 'ask', host: 'api.example.com' })),
      'http_fetch',
      fetched(API),
    );
    for (const address of LOCAL) assert.ok(!reaches(permit, 'api.example.com:443', address), address);
    assert.ok(!reaches(permit, 'api.example.com:443', '8.8.8.8', true), 'a public one of this machine');
    assert.ok(reaches(permit, 'api.example.com:443', '8.8.8.8'));
  });

  test('such an address itself is not opened either, nor a name that means one', async () => {
    const set = await setOf(top({ effect: 'ask', tool: 'http_fetch' }));
    for (const address of [
      ...LOCAL.map((each) => (each.includes(':') ? `[${each}]` : each)),
      'localhost',
      '0x7f.1',
      '2130706433',
      'db.internal',
      'metadata.google.internal',
    ])
      assert.deepEqual(approve(set, 'http_fetch', fetched(`http://${address}/`)).told, [], address);
  });

  test('a rule of the top layer about the call opens what it names: a class, or an address', async () => {
    const reached = async (
      host: RuleFile['host'],
      url: string,
      authority: string,
      address?: string,
    ): Promise<boolean> =>
      reaches(
        approve(await setOf(top({ effect: 'ask', host: host as string })), 'http_fetch', fetched(url)).permit,
        authority,
        address,
      );
    const db = { names: '*.corp.example', classes: ['private'] } as const;
    assert.ok(await reached(db, 'http://db.corp.example/', 'db.corp.example:80', '10.0.0.1'));
    for (const other of ['8.8.8.8', '127.0.0.1', '169.254.169.254'])
      assert.ok(!(await reached(db, 'http://db.corp.example/', 'db.corp.example:80', other)), other);
    assert.ok(
      await reached({ classes: ['loopback'], ports: 3000 }, 'http://127.0.0.1:3000/', '127.0.0.1:3000'),
    );
    assert.ok(await reached('10.0.0.5', 'http://10.0.0.5/', '10.0.0.5:80'));
    assert.ok(!(await reached({ names: '*' }, 'http://10.0.0.5/', '10.0.0.5:80')));
    const meta = '169.254.169.254';
    assert.ok(await reached(meta, `http://${meta}/`, `${meta}:80`));
    assert.ok(
      !(await reached(
        { names: 'm.example', classes: ['metadata'] },
        'http://m.example/',
        'm.example:80',
        meta,
      )),
    );
  });

  test('a layer below names no class', async () => {
    const rule: RuleFile = { effect: 'ask', host: { names: '127.0.0.1', classes: ['loopback'] } };
    const set = await setOf(top(), below({ rules: [rule] }));
    assert.deepEqual(approve(set, 'http_fetch', fetched('http://127.0.0.1/')).told, []);
  });

  test('a public address of this machine stays closed, unless loopback is named', async () => {
    const { permit } = approve(await setOf(top()), 'http_fetch', fetched('http://8.8.8.8/'));
    assert.deepEqual([reaches(permit, '8.8.8.8:80'), reaches(permit, '8.8.8.8:80', '', true)], [true, false]);
  });
});
