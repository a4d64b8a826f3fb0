import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HealthRow } from '../../../src/cli/health/health-row.ts';
import { openAgentBench } from '../../setup/agents.ts';

test('doctor --model makes one request and says what came of it', { timeout: 60_000 }, async (t) => {
  const desk = await openAgentBench({ turns: [{ text: 'ok' }], after: 'fail' });
  t.after(() => desk.close());
  const look = async (env: NodeJS.ProcessEnv, model = 'default'): Promise<HealthRow | undefined> => {
    const { stdout } = await desk.bench.qWith(env, 'doctor', '--model', model, '--json');
    return (JSON.parse(stdout) as { checks: HealthRow[] }).checks.find(({ name }) => name === 'model');
  };
  const well = await look(desk.env);
  assert.equal(well?.state, 'ok', well?.detail);
  assert.match(well?.detail ?? '', /mock-model.* answered "ok" in \d+ ms, \d+ tokens in, \d+ out/);
  assert.equal(desk.provider.requests.length, 1);

  assert.match((await look({}))?.detail ?? '', /doctor needs a model/);
  const refused = await look({ ...desk.env, Q_WORKFLOW_MODEL_BASE_URL: 'http://127.0.0.1:9/v1' });
  assert.deepEqual([refused?.state, refused?.detail.startsWith('a request failed: ')], ['broken', true]);
  assert.ok(!JSON.stringify(refused).includes(desk.env['Q_WORKFLOW_API_KEY'] ?? ''));

  await desk.bench.q('kill', 'global', '--reason', 'test');
  assert.match((await look(desk.env))?.detail ?? '', /the kill switch global is tripped: no request is sent/);
  assert.equal(desk.provider.requests.length, 1);
});
