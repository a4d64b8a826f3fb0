import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Workflow } from '../../src/definition/workflow.ts';
import type { PolicyFile } from '../../src/guard/policy/files/policy-file.ts';
import { type PolicySet, policySet } from '../../src/guard/policy/files/policy-set.ts';
import { decideTiers, holdTiers } from '../../src/guard/tiers.ts';
import { loadText, setOf } from '../setup/policies.ts';
import { load, skill } from '../setup/workflows.ts';

const NO_POLICIES = policySet([], []);
const agent = (id: string, more: object = {}): object => ({ id, type: 'agent', agent: 'helper', ...more });

async function workflow(parts: object): Promise<Workflow> {
  const { workflow: loaded, problems } = await load(parts);
  assert.ok(loaded !== null, JSON.stringify(problems));
  return loaded;
}

test('skills are best effort in the tier skill, agents required in the tier agent', async () => {
  const tiers = decideTiers(await workflow({ steps: [skill('a'), agent('b')] }), '/f.json', NO_POLICIES);
  assert.deepEqual(tiers, {
    a: { tier: 'skill', mode: 'best_effort' },
    b: { tier: 'agent', mode: 'required' },
  });
});

test('a stricter tier may be asked for, by the workflow, by what is around a step, by the step', async () => {
  const steps = [
    skill('plain'),
    {
      id: 'group',
      type: 'parallel',
      sandbox: { tier: 'untrusted' },
      steps: [skill('inner'), skill('own', { sandbox: { tier: 'agent' } })],
    },
    skill('mode', { sandbox: 'best_effort' }),
  ];
  const tiers = decideTiers(await workflow({ steps, sandbox: 'required' }), '/f.json', NO_POLICIES);
  assert.deepEqual(tiers, {
    plain: { tier: 'skill', mode: 'required' },
    inner: { tier: 'untrusted', mode: 'required' },
    own: { tier: 'agent', mode: 'required' },
    mode: { tier: 'skill', mode: 'best_effort' },
  });
});

test('a tier alone leaves the mode as it is', async () => {
  const steps = [skill('a', { sandbox: { tier: 'agent' } }), agent('b', { sandbox: { tier: 'untrusted' } })];
  assert.deepEqual(decideTiers(await workflow({ steps }), '/f.json', NO_POLICIES), {
    a: { tier: 'agent', mode: 'best_effort' },
    b: { tier: 'untrusted', mode: 'required' },
  });
});

test('handlers and undo steps have tiers too', async () => {
  const steps = [
    skill('a', { undo: { id: 'u', type: 'skill', skill: 'work', sandbox: { tier: 'untrusted' } } }),
  ];
  const handlers = [skill('h', { sandbox: { tier: 'agent' } })];
  const parts = { steps, handlers, error_handling: { default: { strategy: 'custom', custom_handler: 'h' } } };
  const tiers = decideTiers(await workflow(parts), '/f.json', NO_POLICIES);
  assert.equal(tiers['u']?.tier, 'untrusted');
  assert.equal(tiers['h']?.tier, 'agent');
});

test('a laxer tier is refused, with the file and every field', async () => {
  const steps = [
    skill('a', { sandbox: { tier: 'trusted' } }),
    agent('b', { sandbox: { tier: 'skill' } }),
    skill('c'),
  ];
  const loaded = await workflow({ steps });
  assert.throws(() => decideTiers(loaded, '/f.json', NO_POLICIES), {
    code: 'TIER_NOT_GRANTED',
    exitStatus: 6,
    message:
      '/f.json asks for a laxer tier than its steps may have: ' +
      'step a: sandbox.tier "trusted" is laxer than "skill", which the skill step "a" has (a policy of the organisation or the user would have to grant it: "tiers": {"skill": "trusted"}); ' +
      'step b: sandbox.tier "skill" is laxer than "agent", which the agent step "b" has (a policy of the organisation or the user would have to grant it: "tiers": {"agent": "skill"})',
  });
});

test('a laxer tier of the workflow is named as its field', async () => {
  const loaded = await workflow({ steps: [skill('a')], sandbox: { tier: 'trusted' } });
  assert.throws(() => decideTiers(loaded, '/f.json', NO_POLICIES), {
    code: 'TIER_NOT_GRANTED',
    message:
      '/f.json asks for a laxer tier than its steps may have: sandbox.tier "trusted" is laxer than "skill", which the skill step "a" has ' +
      '(a policy of the organisation or the user would have to grant it: "tiers": {"skill": "trusted"})',
  });
});

const file = (layer: PolicyFile['layer'], id: string, more: Partial<PolicyFile>): PolicyFile =>
  ({ apiVersion: 'policy/v1', id, layer, ...more }) as PolicyFile;

/** The tiers of steps that ask for these; the message where they are refused. */
async function tiersUnder(
  set: PolicySet,
  asked: Readonly<Record<string, string | null>>,
): Promise<Record<string, string> | string> {
  const steps = Object.entries(asked).map(([id, tier]) => {
    const more = tier === null ? {} : { sandbox: { tier } };
    return id.startsWith('agent') ? agent(id, more) : skill(id, more);
  });
  const loaded = await workflow({ steps });
  try {
    const tiers = decideTiers(loaded, '/f.json', set);
    return Object.fromEntries(Object.entries(tiers).map(([id, { tier }]) => [id, tier]));
  } catch (error) {
    return (error as Error).message.replace('/f.json asks for a laxer tier than its steps may have: ', '');
  }
}

/** What is said where they are refused. */
async function refusalUnder(set: PolicySet, asked: Readonly<Record<string, string | null>>): Promise<string> {
  const result = await tiersUnder(set, asked);
  return typeof result === 'string' ? result : assert.fail(`granted: ${JSON.stringify(result)}`);
}

test('the top layer grants a laxer tier to who asks for it, by kind or by name', async () => {
  const set = await setOf(file('user', 'base', { tiers: { agent: 'skill', 'skill:work': 'trusted' } }));
  assert.deepEqual(await tiersUnder(set, { 'agent-a': 'skill', 'agent-b': null, a: 'trusted', b: null }), {
    'agent-a': 'skill',
    'agent-b': 'agent',
    a: 'trusted',
    b: 'skill',
  });
  assert.equal(
    await tiersUnder(set, { 'agent-a': 'trusted' }),
    'step agent-a: sandbox.tier "trusted" is laxer than "skill", which the agent step "agent-a" has ' +
      '(the policy user/base allows no laxer one)',
  );
  const other = await setOf(
    file('user', 'base', { tiers: { 'skill:other': 'trusted', 'agent:helper': 'skill' } }),
  );
  assert.match(await refusalUnder(other, { a: 'trusted' }), /the policy user\/base would have to grant it/);
  assert.deepEqual(await tiersUnder(other, { 'agent-a': 'skill' }), { 'agent-a': 'skill' });
});

test('a name counts before its kind within a file, and the strictest of all files', async () => {
  const top = file('organisation', 'org', { tiers: { skill: 'trusted', 'skill:work': 'skill' } });
  assert.match(await refusalUnder(await setOf(top), { a: 'trusted' }), /organisation\/org allows no laxer/);
  const two = await setOf(
    file('organisation', 'one', { tiers: { skill: 'trusted' } }),
    file('organisation', 'two', { tiers: { skill: 'skill' } }),
  );
  assert.match(await refusalUnder(two, { a: 'trusted' }), /organisation\/two allows no laxer/);
});

test('a layer below the top grants nothing, and narrows what the top grants', async () => {
  const org = file('organisation', 'org', { default: 'deny' });
  for (const layer of ['user', 'workspace'] as const) {
    const below = await setOf(org, file(layer, 'mine', { tiers: { skill: 'trusted', agent: 'trusted' } }));
    assert.match(
      await refusalUnder(below, { a: 'trusted' }),
      /\(the policy organisation\/org would have to grant it: "tiers": \{"skill": "trusted"\}\)$/,
    );
  }
  const granting = file('organisation', 'org', { tiers: { skill: 'trusted', agent: 'trusted' } });
  const narrowed = await setOf(
    granting,
    file('workspace', 'mine', { tiers: { skill: 'skill', agent: 'skill' } }),
  );
  assert.match(await refusalUnder(narrowed, { a: 'trusted' }), /workspace\/mine allows no laxer one/);
  assert.deepEqual(await tiersUnder(narrowed, { 'agent-a': 'skill', a: null }), {
    'agent-a': 'skill',
    a: 'skill',
  });
});

test('a workspace is no top, whatever it says', async () => {
  const { policy } = await loadText(
    JSON.stringify(file('workspace', 'mine', { tiers: { skill: 'trusted' } })),
  );
  const fallback = await loadText(JSON.stringify(file('organisation', 'default', { default: 'ask' })));
  const set = policySet([policy], [], fallback.policy);
  assert.match(
    await refusalUnder(set, { a: 'trusted' }),
    /a policy of the organisation or the user would have to grant it/,
  );
});

test('policies may allow less than a step would have', async () => {
  const set = await setOf(file('workspace', 'mine', { tiers: { skill: 'agent', agent: 'untrusted' } }));
  assert.deepEqual(await tiersUnder(set, { a: null, b: 'untrusted', 'agent-a': null }), {
    a: 'agent',
    b: 'untrusted',
    'agent-a': 'untrusted',
  });
  assert.match(
    await refusalUnder(set, { a: 'skill' }),
    /"skill" is laxer than "agent", which the skill step "a" has \(the policy workspace\/mine allows no laxer one\)/,
  );
});

test('files in shadow mode, of another environment or that cannot be used grant nothing', async () => {
  const tiers = { skill: 'trusted' } as const;
  const base = file('user', 'base', { default: 'deny' });
  for (const more of [{ mode: 'shadow' }, { environments: ['production'] }] as const) {
    const set = await setOf(base, file('user', 'more', { tiers, ...more }));
    assert.match(await refusalUnder(set, { a: 'trusted' }), /user\/base would have to grant it/);
  }
  const { policies: both } = await setOf(base, file('user', 'more', { tiers, environments: ['production'] }));
  const there = policySet(both, [], null, 'production');
  assert.deepEqual(await tiersUnder(there, { a: 'trusted' }), { a: 'trusted' });
  const broken = await loadText('{"layer": "workspace", "tiers": {"skill": "lax"}}', 'broken');
  assert.match(broken.policy.fault ?? '', /\$\.tiers\.skill/);
  const { policies } = await setOf(file('user', 'base', { tiers }));
  const set = policySet([...policies, broken.policy], []);
  assert.match(await refusalUnder(set, { a: 'trusted' }), /workspace\/broken cannot be used/);
});

test('a grant that was taken back holds no longer, and one that came later changes nothing', async () => {
  const loaded = await workflow({ steps: [skill('a', { sandbox: { tier: 'trusted' } }), agent('b')] });
  const granting = await setOf(file('user', 'base', { tiers: { skill: 'trusted', agent: 'skill' } }));
  const pinned = decideTiers(loaded, '/f.json', granting);
  assert.deepEqual(holdTiers(loaded, pinned, granting), pinned);
  assert.deepEqual(holdTiers(loaded, pinned, NO_POLICIES), {
    ...pinned,
    a: { tier: 'skill', mode: 'best_effort' },
  });
});
