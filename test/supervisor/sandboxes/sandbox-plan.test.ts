import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkRules } from '../../../sandbox/network/rules.ts';
import {
  networkRecord,
  type SandboxPlan,
  shownNetworks,
} from '../../../src/supervisor/sandboxes/sandbox-plan.ts';

const api: NetworkRules = {
  rules: [
    { host: 'api.example.com', ports: [443, 8443], by: 'user/net#api' },
    { host: '::1', ports: 'any', classes: ['loopback'] },
  ],
};
const plan = (tools: Readonly<Record<string, NetworkRules>>): SandboxPlan => ({
  tiers: {},
  networks: { a: { policyHash: 'p', tools }, b: { policyHash: 'q', tools: { skill: { ...api } } } },
  keptRepository: [],
});

test('the record has each set of rules once, by number, and who has it by which policies', () => {
  const other: NetworkRules = { ...api, refuse: [{ host: '*', ports: 'any' }] };
  assert.deepEqual(networkRecord(plan({ exec: api, http_fetch: other, '@far': api })), {
    networks: {
      a: { policy_hash: 'p', tools: { exec: 0, http_fetch: 1, '@far': 0 } },
      b: { policy_hash: 'q', tools: { skill: 0 } },
    },
    network_rules: [api, other],
  });
  assert.deepEqual(networkRecord({ tiers: {}, networks: {}, keptRepository: [] }), {
    networks: {},
    network_rules: [],
  });
});

test('people see hosts, ports and classes', () => {
  const shown = ['api.example.com:443,8443', '[::1]:* (loopback)'];
  assert.deepEqual(shownNetworks(plan({ exec: api })), { a: { exec: shown }, b: { skill: shown } });
});
