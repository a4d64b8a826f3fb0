import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideNetworks } from '../../src/guard/network.ts';
import { load, skill } from '../setup/workflows.ts';

test('without policies no step may reach anything', async () => {
  const steps = [{ id: 'a', type: 'agent', agent: 'helper' }, skill('b', { sandbox: { tier: 'agent' } })];
  const { workflow } = await load({ steps });
  assert.ok(workflow !== null);
  assert.deepEqual(decideNetworks(workflow), {});
});
