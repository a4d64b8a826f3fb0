import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { agentRow } from '../../../src/cli/health/agent-health.ts';
import { modelEnvironment } from '../../../src/client/model-environment.ts';

const base = mkdtempSync(join(tmpdir(), 'qw-health-'));
after(() => rmSync(base, { recursive: true }));

test('programs of other makers count where they can be executed, in absolute folders', () => {
  writeFileSync(join(base, 'gemini'), '', { mode: 0o755 });
  writeFileSync(join(base, 'kiro-cli'), '', { mode: 0o644 });
  mkdirSync(join(base, 'codex-acp'));
  assert.equal(agentRow(`relative:/nonexistent:${base}`, []).detail, 'on PATH, for agent files: gemini');
  assert.equal(agentRow('', []).detail, 'no agent of another maker is on PATH');
});

test('our own q is no agent, another one is', () => {
  const folder = mkdtempSync(join(base, 'own-'));
  const own = join(folder, 'q');
  writeFileSync(own, '', { mode: 0o755 });
  assert.equal(agentRow(folder, [own]).detail, 'no agent of another maker is on PATH');
  assert.equal(agentRow(folder, []).detail, 'on PATH, for agent files: q');
});

test('the variables of every profile go to the supervisor, others do not', () => {
  const names = ['KIRO_API_KEY', 'GOOGLE_GEMINI_BASE_URL', 'AMAZON_Q_SIGV4', 'UNHEARD_OF_KEY'];
  for (const name of names) process.env[name] = 'x';
  try {
    const sent = modelEnvironment(base);
    assert.deepEqual(
      names.filter((name) => sent[name] === 'x'),
      ['KIRO_API_KEY', 'GOOGLE_GEMINI_BASE_URL', 'AMAZON_Q_SIGV4'],
    );
  } finally {
    for (const name of names) delete process.env[name];
  }
});
