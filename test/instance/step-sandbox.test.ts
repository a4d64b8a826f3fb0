import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkEvent } from '../../sandbox/network/events.ts';
import type { LeafStep } from '../../src/definition/workflow.ts';
import { stepSandbox, usedTier } from '../../src/instance/step-sandbox.ts';
import type { Bootstrap } from '../../src/protocol/instance-link.ts';
import { BARE_SANDBOX, skillOf } from '../skills/make.ts';

const full = {
  ...BARE_SANDBOX.ground,
  bubblewrap: { path: '/usr/bin/bwrap', takesDescriptors: true },
  setpriv: '/usr/bin/setpriv',
  seccompFile: '/state/seccomp.bpf',
};

function bootstrap(
  tier: 'skill' | 'agent' | 'untrusted',
  mode: 'required' | 'best_effort',
  ground = full,
  networks: Bootstrap['sandbox']['networks'] = {},
): Bootstrap {
  const steps = { a: { tier, mode } };
  return { workspace: '/tmp', sandbox: { ground, steps, networks } } as unknown as Bootstrap;
}

const step = (id: string): LeafStep => ({ id }) as unknown as LeafStep;
const networkOf = (tier: 'skill' | 'agent' | 'untrusted', permissions?: object): string =>
  stepSandbox(
    bootstrap(tier, 'required'),
    step('a'),
    skillOf({
      command: 'true',
      ...(permissions === undefined ? {} : { security: { permissions } }),
    } as never),
  ).view.network;

test('a skill has the network of the host unless its file takes it away', () => {
  assert.equal(networkOf('skill'), 'host');
  assert.equal(networkOf('skill', { network_access: true }), 'host');
  assert.equal(networkOf('skill', { network_access: false }), 'none');
});

test('a stricter tier gets no more of the network for what the skill file says', () => {
  assert.equal(networkOf('agent', { network_access: true }), 'proxy');
  assert.equal(networkOf('agent', { network_access: false }), 'none');
  assert.equal(networkOf('untrusted', { network_access: true }), 'none');
});

test('rules reach only a step whose network is the proxy, and what it does cannot be recorded yet', () => {
  const rules = [{ host: 'a.example', ports: [443] }];
  const skill = skillOf({ command: 'true' });
  const accessOf = (tier: 'skill' | 'agent' | 'untrusted', networks: Bootstrap['sandbox']['networks']) =>
    stepSandbox(bootstrap(tier, 'required', full, networks), step('a'), skill).access;
  for (const [tier, networks] of [
    ['skill', { a: rules }],
    ['untrusted', { a: rules }],
    ['agent', {}],
    ['agent', { a: [] }],
    ['agent', { b: rules }],
  ] as const)
    assert.equal(accessOf(tier, networks), undefined, tier);
  const access = accessOf('agent', { a: rules });
  assert.deepEqual(access?.rules, rules);
  const decided = { type: 'decided' } as NetworkEvent;
  assert.throws(() => access?.onEvent(decided), { message: 'there is no record for it' });
});

test('paths that the file does not name are not narrowed', () => {
  const { view } = stepSandbox(bootstrap('skill', 'required'), step('a'), skillOf({ command: 'true' }));
  assert.deepEqual([view.read, view.write], [null, null]);
  const narrowed = skillOf({
    command: 'true',
    security: { permissions: { file_write: [], network_access: true } },
  });
  const other = stepSandbox(bootstrap('skill', 'required'), step('a'), narrowed).view;
  assert.deepEqual([other.read, other.write], [null, []]);
});

test('a step that requires a layer which is gone is refused, one of best effort goes on with what there is', () => {
  const bare = { ...full, bubblewrap: null } as unknown as typeof full;
  assert.throws(
    () => stepSandbox(bootstrap('skill', 'required', bare), step('a'), skillOf({ command: 'true' })),
    {
      code: 'ISOLATION_MISSING',
      message: 'step "a" requires the tier skill, and there is no bubblewrap, no seccomp for it here',
    },
  );
  const best = bootstrap('skill', 'best_effort', bare);
  assert.equal(stepSandbox(best, step('a'), skillOf({ command: 'true' })).view.tier, 'skill');
  assert.equal(usedTier(best, step('a')), 'trusted');
});

test('a step that nobody planned gets the strictest tier', () => {
  const { view } = stepSandbox(
    bootstrap('skill', 'best_effort'),
    step('unknown'),
    skillOf({ command: 'true' }),
  );
  assert.deepEqual([view.tier, view.network], ['untrusted', 'none']);
});
