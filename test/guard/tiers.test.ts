import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Workflow } from '../../src/definition/workflow.ts';
import { decideTiers } from '../../src/guard/tiers.ts';
import { load, skill } from '../setup/workflows.ts';

const agent = (id: string, more: object = {}): object => ({ id, type: 'agent', agent: 'helper', ...more });

async function workflow(parts: object): Promise<Workflow> {
  const { workflow: loaded, problems } = await load(parts);
  assert.ok(loaded !== null, JSON.stringify(problems));
  return loaded;
}

test('skills are best effort in the tier skill, agents required in the tier agent', async () => {
  const tiers = decideTiers(await workflow({ steps: [skill('a'), agent('b')] }), '/f.json');
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
  const tiers = decideTiers(await workflow({ steps, sandbox: 'required' }), '/f.json');
  assert.deepEqual(tiers, {
    plain: { tier: 'skill', mode: 'required' },
    inner: { tier: 'untrusted', mode: 'required' },
    own: { tier: 'agent', mode: 'required' },
    mode: { tier: 'skill', mode: 'best_effort' },
  });
});

test('a tier alone leaves the mode as it is', async () => {
  const steps = [skill('a', { sandbox: { tier: 'agent' } }), agent('b', { sandbox: { tier: 'untrusted' } })];
  assert.deepEqual(decideTiers(await workflow({ steps }), '/f.json'), {
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
  const tiers = decideTiers(await workflow(parts), '/f.json');
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
  assert.throws(() => decideTiers(loaded, '/f.json'), {
    code: 'TIER_NOT_GRANTED',
    exitStatus: 6,
    message:
      '/f.json asks for a laxer tier than its steps may have: ' +
      'step a: sandbox.tier "trusted" is laxer than "skill", which the skill step "a" has; ' +
      'step b: sandbox.tier "skill" is laxer than "agent", which the agent step "b" has',
  });
});

test('a laxer tier of the workflow is named as its field', async () => {
  const loaded = await workflow({ steps: [skill('a')], sandbox: { tier: 'trusted' } });
  assert.throws(() => decideTiers(loaded, '/f.json'), {
    code: 'TIER_NOT_GRANTED',
    message:
      '/f.json asks for a laxer tier than its steps may have: sandbox.tier "trusted" is laxer than "skill", which the skill step "a" has',
  });
});
