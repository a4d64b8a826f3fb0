import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkEvent } from '../../sandbox/network/events.ts';
import type { LeafStep } from '../../src/definition/workflow.ts';
import { stepSandbox as sandboxOf, usedTier } from '../../src/instance/step-sandbox.ts';
import type { Bootstrap, NetworkReport } from '../../src/protocol/instance-link.ts';
import type { Skill } from '../../src/skills/skill.ts';
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
  return { workspace: '/tmp', env: {}, sandbox: { ground, steps, networks } } as unknown as Bootstrap;
}

/** What the supervisor was told, and what it answers. */
const told: NetworkReport[] = [];
let isRecorded = true;
const logged: string[] = [];
const owner = {
  path: 'loop[2]/a',
  attempt: 3,
  tool: 'skill',
  tell: async (report: NetworkReport) => {
    told.push(report);
    return isRecorded;
  },
  output: {
    write: (stream: string, chunk: Buffer): undefined => {
      logged.push(`${stream} ${chunk.toString()}`);
    },
  },
};
const stepSandbox = (...[boot, of, skill]: [Bootstrap, LeafStep, Skill]) => sandboxOf(boot, of, skill, owner);

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

test('rules reach only a step whose network is the proxy, and only the tool that has them', () => {
  const rules = [{ host: 'a.example', ports: [443] }];
  const skill = skillOf({ command: 'true' });
  const accessOf = (tier: 'skill' | 'agent' | 'untrusted', networks: Bootstrap['sandbox']['networks']) =>
    stepSandbox(bootstrap(tier, 'required', full, networks), step('a'), skill).access;
  for (const [tier, networks] of [
    ['skill', { a: { skill: { rules } } }],
    ['untrusted', { a: { skill: { rules } } }],
    ['agent', {}],
    ['agent', { a: {} }],
    ['agent', { a: { http_fetch: { rules } } }],
    ['agent', { b: { skill: { rules } } }],
  ] as const)
    assert.equal(accessOf(tier, networks), undefined, tier);
  const given = { rules, narrow: [rules], refuse: rules };
  const { onEvent: _, ...access } = accessOf('agent', { a: { skill: given } }) ?? {};
  assert.deepEqual(access, given);
});

test('a decision waits for its record, an end does not, and a refusal is in the log', async () => {
  const networks = { a: { skill: { rules: [{ host: 'a.example', ports: [443] }] } } };
  const { access } = stepSandbox(
    bootstrap('agent', 'required', full, networks),
    step('a'),
    skillOf({ command: 'true' }),
  );
  const decided = { type: 'decided', outcome: 'refused', host: 'b.example', port: 443 };
  const event = { ...decided, reason: 'host_not_listed', rule: null } as unknown as NetworkEvent;
  await access?.onEvent(event);
  assert.deepEqual(told.splice(0), [{ path: 'loop[2]/a', attempt: 3, tool: 'skill', event }]);
  assert.deepEqual(logged.splice(0), ['stderr network: b.example:443 was refused (host_not_listed)\n']);
  isRecorded = false;
  await assert.rejects(async () => access?.onEvent(event), { message: 'there is no record for it' });
  assert.deepEqual(logged.splice(0), []);
  await access?.onEvent({ type: 'ended' } as NetworkEvent);
  assert.equal(told.splice(0).length, 2);
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
