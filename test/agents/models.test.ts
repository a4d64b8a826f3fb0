import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { neededVariables, resolveKeys } from '../../src/agents/model/keys.ts';
import { chooseModel, readModels } from '../../src/agents/model/model-config.ts';

const FILE = '/c/config.json';
const read = (models: object | null, env: Record<string, string> = {}) =>
  readModels(FILE, models === null ? null : JSON.stringify({ models }), env);
const wrong = (models: object, env = {}): string[] => {
  try {
    read(models, env);
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && error.code === 'MODEL_NOT_CONFIGURED');
    return error.message.replace(`${FILE} is not valid: `, '').split('; ');
  }
  return [];
};

test("a configured model, with the provider's own key where none is named", () => {
  const { models, defaultName } = read({
    default: 'a',
    a: { provider: 'anthropic', model: 'm' },
    b: { provider: 'bedrock', model: 'n', region: 'eu-west-1' },
  });
  assert.equal(defaultName, 'a');
  assert.deepEqual(models['a'], {
    name: 'a',
    provider: 'anthropic',
    baseUrl: null,
    id: 'm',
    region: null,
    maxOutputTokens: null,
    price: null,
    idleTimeoutMs: 120_000,
    keys: { api_key: { env: 'ANTHROPIC_API_KEY' } },
  });
  assert.equal(models['b']?.region, 'eu-west-1');
  assert.equal(
    read({ a: { provider: 'anthropic', model: 'm' } }).defaultName,
    'a',
    'the only one is the default',
  );
});

test('a timeout that no timer can wait is the longest one that can', () => {
  const of = (timeout: number) =>
    read({ a: { provider: 'anthropic', model: 'm', timeout } }).models['a']?.idleTimeoutMs;
  assert.deepEqual([of(5), of(3_000_000)], [5000, 2 ** 31 - 1]);
});

test('a default that is only the name of something every object has is no model', () => {
  assert.deepEqual(wrong({ default: 'toString', a: { provider: 'anthropic', model: 'm' } }), [
    '$.models.default no model is called "toString"',
  ]);
});

test('a model at an address of its own gets no key that nobody named', () => {
  const { models } = read({
    a: { provider: 'openai-compatible', model: 'm', base_url: 'http://localhost:8080/v1' },
  });
  assert.deepEqual(models['a']?.keys, {});
});

test('what is wrong is said with its place; a key in the file is refused', () => {
  assert.deepEqual(wrong({ a: { provider: 'x', model: 'm' } }), [
    '$.models.a.provider must be one of openai-compatible, anthropic, bedrock',
  ]);
  assert.deepEqual(wrong({ default: 'b', a: { provider: 'anthropic', model: 'm' } }), [
    '$.models.default no model is called "b"',
  ]);
  assert.deepEqual(wrong({ a: { provider: 'anthropic', model: 'm', api_key: 'sk-1' } }), [
    '$.models.a.api_key must be an object, not the string "sk-1"',
  ]);
  const key = { provider: 'openai-compatible', model: 'm', api_key: { env: 'K' } };
  assert.deepEqual(wrong({ a: { ...key, base_url: 'http://far.test/v1' } }), [
    '$.models.a.base_url a key is only sent by https, or to this machine',
  ]);
  assert.deepEqual(wrong({ a: { ...key, base_url: 'https://u:p@far.test' } }), [
    '$.models.a.base_url an address may hold no user or password: use api_key',
  ]);
  assert.deepEqual(wrong({ a: { ...key, modle: 'x' } }), [
    '$.models.a.modle unknown key "modle" is ignored',
    'did you mean "model"?',
  ]);
});

test("variables describe a model where no file does; a provider's own key goes to its own address only", () => {
  const env = { Q_WORKFLOW_MODEL: 'm', OPENAI_API_KEY: 'k' };
  const keysOf = (more: Record<string, string>) =>
    read(null, { ...env, ...more }).models['environment']?.keys;
  assert.deepEqual(keysOf({}), { api_key: { env: 'OPENAI_API_KEY' } });
  assert.deepEqual(keysOf({ Q_WORKFLOW_MODEL_BASE_URL: 'https://far.test' }), {});
  assert.deepEqual(keysOf({ Q_WORKFLOW_MODEL_BASE_URL: 'https://far.test', Q_WORKFLOW_API_KEY: 'x' }), {
    api_key: { env: 'Q_WORKFLOW_API_KEY' },
  });
  const { models } = read(null, { Q_WORKFLOW_MODEL: 'm', ANTHROPIC_API_KEY: 'k' });
  assert.equal(models['environment']?.provider, 'anthropic');
  assert.equal(
    read({ a: { provider: 'anthropic', model: 'f' } }, env).defaultName,
    'a',
    'a file comes first',
  );
  assert.throws(() => read(null, { ...env, Q_WORKFLOW_MODEL_PROVIDER: 'z' }), {
    message: 'Q_WORKFLOW_MODEL_PROVIDER is "z"; it must be openai-compatible, anthropic or bedrock',
  });
});

test('an agent gets the model that it names, else the default one with a note', () => {
  const catalogue = read({
    default: 'a',
    a: { provider: 'anthropic', model: 'm' },
    b: { provider: 'anthropic', model: 'n' },
  });
  assert.equal(chooseModel(catalogue, 'b', 'agent x').spec.id, 'n');
  assert.deepEqual(
    chooseModel(catalogue, 'claude-9', 'agent x').note,
    'agent x asks for the model "claude-9", which is not configured: "a" is used',
  );
  assert.throws(() => chooseModel(read(null), null, 'agent x'), {
    code: 'MODEL_NOT_CONFIGURED',
    message: 'agent x needs a model: /c/config.json names none, and Q_WORKFLOW_MODEL is not set',
  });
});

test('keys come from secrets and variables, and only those that are needed are kept', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'qw-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'model-key'), 'from a file\n');
  const { models } = read({
    default: 'a',
    a: { provider: 'anthropic', model: 'm', api_key: { secret: 'model-key' } },
    b: { provider: 'anthropic', model: 'm', api_key: { env: 'K' } },
    c: { provider: 'bedrock', model: 'm' },
  });
  const { a, b, c } = models;
  assert.ok(a && b && c);
  assert.deepEqual(resolveKeys(a, {}, folder), { api_key: 'from a file' });
  assert.deepEqual(resolveKeys(b, { K: 'v' }, folder), { api_key: 'v' });
  assert.throws(() => resolveKeys(b, {}, folder), {
    message: 'the model "b" needs its api_key, and the variable K is not set',
  });
  const aws = { AWS_ACCESS_KEY_ID: 'i', AWS_SECRET_ACCESS_KEY: 's' };
  assert.deepEqual(resolveKeys(c, aws, folder), { access_key_id: 'i', secret_access_key: 's' });
  assert.deepEqual(neededVariables([a, b, c], { ...aws, K: 'v', HOME: '/x', OPENAI_API_KEY: 'o' }), {
    K: 'v',
    ...aws,
  });
});
