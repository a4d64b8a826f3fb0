import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject } from '../../../../src/definition/workflow.ts';
import type { GuardedCall } from '../../../../src/guard/policy/calls/call.ts';
import { decide } from '../../../../src/guard/policy/decide.ts';
import { realFiles } from '../../../../src/guard/policy/files/file-facts.ts';
import type { RuleFile } from '../../../../src/guard/policy/files/policy-file.ts';
import type { PolicySet } from '../../../../src/guard/policy/files/policy-set.ts';
import { callOf, HOME, setOf, verdictOf } from '../../../setup/policies.ts';

const DENY_ETC: RuleFile = { effect: 'deny', tool: '*', path: '/etc/**' };
const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `a${index}`);

async function decision(args: JsonObject, tool = '@files/read'): Promise<string> {
  return verdictOf(await setOf({ default: 'allow', rules: [DENY_ETC] }), callOf(tool, args)).decision;
}

describe('what is read of a call', () => {
  test('a path of a tool of others is found wherever it stands', async () => {
    assert.equal(await decision({ paths: ['a', 'b'] }), 'allow');
    assert.equal(await decision({ paths: ['/etc/shadow', 'b'] }), 'deny');
    assert.equal(await decision({ deep: [{ er: { path: '/etc/shadow' } }] }), 'deny');
  });

  test('among more texts than are looked at it is not allowed', async () => {
    for (const paths of [['/etc/shadow', ...many(2000)], [...many(2000), '/etc/shadow'], many(2000)])
      assert.notEqual(await decision({ paths }), 'allow');
    assert.notEqual(await decision({ a: many(600), b: many(600) }), 'allow');
    assert.equal(await decision({ paths: many(900) }), 'allow');
  });

  test('what a step is started with is data, unless a rule looks at the places in it', async () => {
    const spawn = (args: JsonObject): GuardedCall => ({ ...callOf('work', args), kind: 'spawn' });
    const about: RuleFile = { effect: 'deny', tool: 'spawn:*', path: '/etc/**' };
    for (const args of [
      { list: many(2000) },
      { text: 'a\0b' },
      { file: 'a\0b' },
      { text: '/proc/self/environ' },
    ]) {
      assert.equal(
        verdictOf(await setOf({ default: 'deny', rules: [DENY_ETC] }), spawn(args)).decision,
        'allow',
      );
      const looking = verdictOf(await setOf({ default: 'allow', rules: [about] }), spawn(args)).decision;
      assert.equal(looking === 'allow', args.text === 'a\0b', JSON.stringify(args).slice(0, 40));
    }
    for (const text of ['/etc/passwd\0x', 'x\0/etc/passwd'])
      assert.equal(verdictOf(await setOf({ rules: [about] }), spawn({ text })).decision, 'deny');
    assert.equal(await decision({ text: '/etc/passwd\0x' }), 'deny');
    assert.equal(await decision({ text: 'a\0b' }), 'allow');
    assert.equal(await decision({ path: 'a\0b' }), 'deny');
  });

  test('a line break in a path does not hide it', async () => {
    assert.equal(await decision({ path: 'x\n/../../../../../../../../../../etc/shadow' }), 'deny');
    assert.equal(await decision({ content: '/** a\n * b */', path: 'a' }), 'allow');
  });

  test('a URL that a reader would mend is read as mended', async () => {
    const rules: RuleFile[] = [{ effect: 'deny', tool: '*', host: 'evil.example' }];
    const set = await setOf({ default: 'allow', rules });
    for (const url of [
      'http://evil.example/x',
      ' http://evil.example/x',
      'ht\ntp://evil.example/x',
      'http://ev\til.example/',
      'http:\\\\evil.example/',
      `http://evil.example/${'x'.repeat(5000)}`,
    ])
      assert.equal(
        verdictOf(set, callOf('@web/get', { url })).decision,
        'deny',
        JSON.stringify(url.slice(0, 40)),
      );
    assert.equal(verdictOf(set, callOf('@web/get', { url: 'https://good.example' })).decision, 'allow');
  });

  test('many long paths are decided in a moment, and not allowed', async () => {
    const set: PolicySet = await setOf({ default: 'allow', rules: [DENY_ETC] });
    const paths = many(999).map((name) => `${'d/'.repeat(2000)}${name}`);
    const call = callOf('@files/read', { paths });
    const begin = performance.now();
    const verdict = decide(set, call, { files: realFiles(), home: HOME });
    assert.notEqual(verdict.decision, 'allow');
    const tookMs = performance.now() - begin;
    assert.ok(tookMs < 2000, `${tookMs} ms`);
  });
});
