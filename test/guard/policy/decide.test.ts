import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { GuardedCall } from '../../../src/guard/policy/calls/call.ts';
import { decide } from '../../../src/guard/policy/decide.ts';
import { NO_FILES } from '../../../src/guard/policy/files/file-facts.ts';
import {
  type Decision,
  LAYERS,
  type PolicyFile,
  type RuleFile,
} from '../../../src/guard/policy/files/policy-file.ts';
import { policySet, withPolicies } from '../../../src/guard/policy/files/policy-set.ts';
import { settingsOf } from '../../../src/guard/policy/files/settings.ts';
import { bash, callOf, GUARD, HOME, loadText, setOf, verdictOf } from '../../setup/policies.ts';

const read: GuardedCall = callOf('fs_read', { path: 'a' });
const STRICT = ['allow', 'ask', 'deny'];

async function decision(call: GuardedCall, ...files: PolicyFile[]): Promise<Decision> {
  return verdictOf(await setOf(...files), call).decision;
}

describe('layers', () => {
  const allow: RuleFile = { effect: 'allow', tool: 'fs_read' };

  test('the default of the top layer decides what no rule of it speaks of', async () => {
    assert.equal(await decision(read, { default: 'deny' }), 'deny');
    assert.equal(await decision(read, { default: 'ask' }), 'ask');
    assert.equal(await decision(read, { default: 'allow' }), 'allow');
    assert.equal(await decision(read, {}), 'deny');
    assert.equal(await decision(read, { default: 'deny', rules: [allow] }), 'allow');
  });

  test('a lower layer cannot allow what the top layer does not', async () => {
    const low: PolicyFile = { layer: 'step', default: 'allow', rules: [allow] };
    assert.equal(await decision(read, { default: 'deny' }, low), 'deny');
    assert.equal(await decision(read, { default: 'ask' }, low), 'ask');
    assert.equal(await decision(read, { rules: [{ effect: 'ask', tool: '*' }] }, low), 'ask');
  });

  test('a lower layer denies, and with a default narrows to what it allows', async () => {
    const top: PolicyFile = { default: 'allow' };
    assert.equal(
      await decision(read, top, { layer: 'agent', rules: [{ effect: 'deny', tool: 'fs_read' }] }),
      'deny',
    );
    assert.equal(await decision(read, top, { layer: 'agent', default: 'deny' }), 'deny');
    assert.equal(await decision(read, top, { layer: 'agent', default: 'deny', rules: [allow] }), 'allow');
    assert.equal(await decision(read, top, { layer: 'agent', rules: [] }), 'allow');
  });

  test('the strictest of several files of one layer counts, defaults too', async () => {
    assert.equal(await decision(read, { default: 'allow' }, { default: 'deny' }), 'deny');
    assert.equal(
      await decision(read, { default: 'deny', rules: [allow] }, { rules: [{ effect: 'ask' }] }),
      'ask',
    );
  });

  test('no file below the top widens what another one of its layer leaves', async () => {
    const narrow: PolicyFile = { layer: 'agent', default: 'deny' };
    assert.equal(
      await decision(read, { default: 'allow' }, narrow, { layer: 'agent', rules: [allow] }),
      'deny',
    );
    assert.equal(await decision(read, { default: 'deny' }, { rules: [allow] }), 'allow');
  });

  test('a file holds only in its environments', async () => {
    const files: PolicyFile[] = [
      { default: 'allow' },
      { layer: 'environment', environments: ['production'], rules: [{ effect: 'deny', tool: 'fs_read' }] },
    ];
    assert.equal(await decision(read, ...files), 'allow');
    assert.equal(await decision({ ...read, environment: 'production' }, ...files), 'deny');
  });

  test('a call that names no environment is in that of its set: files, conditions and settings', async () => {
    const { policies } = await setOf(
      { default: 'allow', rules: [{ effect: 'deny', tool: 'fs_list', when: "env.name == 'production'" }] },
      {
        layer: 'environment',
        environments: ['production'],
        rules: [{ effect: 'deny', tool: 'fs_read' }],
        limits: { iterations: 3 },
      },
    );
    const [plain, production] = [policySet(policies, GUARD), policySet(policies, GUARD, null, 'production')];
    const list = callOf('fs_list', { path: '.' });
    for (const call of [read, list]) {
      assert.equal(verdictOf(plain, call).decision, 'allow');
      assert.equal(verdictOf(production, call).decision, 'deny');
      assert.equal(verdictOf(production, { ...call, environment: 'staging' }).decision, 'allow');
    }
    assert.equal(settingsOf(plain).limits.iterations, null);
    assert.equal(settingsOf(production).limits.iterations, 3);
    // What decides differently has another hash; an agent's or step's files leave it where it is.
    assert.notEqual(plain.hash, production.hash);
    assert.equal(verdictOf(withPolicies(production, []), read).decision, 'deny');
  });

  test('a file in shadow mode is heard and has no effect', async () => {
    const set = await setOf(
      { default: 'allow' },
      { mode: 'shadow', id: 'new', default: 'deny', rules: [{ id: 'no', effect: 'deny', tool: 'fs_read' }] },
    );
    const verdict = verdictOf(set, read);
    assert.equal(verdict.decision, 'allow');
    assert.deepEqual(verdict.shadow, [
      {
        part: 'fs_read',
        layer: 'organisation',
        rule: 'organisation/new#no',
        effect: 'deny',
        reason: 'the rule organisation/new#no says deny',
      },
    ]);
  });

  test('a file that cannot be used makes its layer deny everything', async () => {
    const good = (await loadText('{"default":"allow"}')).policy;
    for (const text of ['{', '{"layer":"step","rule":[]}', '{"layer":"step","rules":[{"effect":"alow"}]}']) {
      const { policy } = await loadText(text);
      const set = policySet([good, policy], GUARD);
      const verdict = verdictOf(set, read);
      assert.equal(verdict.decision, 'deny', text);
      assert.match(verdict.reason, /cannot be used, so its layer denies everything/);
      assert.equal(verdictOf(set, { ...read, kind: 'model' }).decision, 'deny');
    }
  });

  test('no layer at all denies', () => {
    assert.equal(verdictOf(policySet([], GUARD), read).decision, 'deny');
  });

  test('models, steps and schedules are a matter of rules that name them, not of defaults', async () => {
    const set = await setOf({ default: 'deny', rules: [{ effect: 'deny', tool: ['*', 'model:gpt-*'] }] });
    assert.equal(verdictOf(set, callOf('claude', {}, { kind: 'model' })).decision, 'allow');
    assert.equal(verdictOf(set, callOf('gpt-9', {}, { kind: 'model' })).decision, 'deny');
    assert.equal(verdictOf(set, callOf('build', {}, { kind: 'spawn' })).decision, 'allow');
  });
});

describe('args and when', () => {
  test('a schema of the arguments', async () => {
    const file: PolicyFile = {
      default: 'deny',
      rules: [
        {
          effect: 'allow',
          tool: 'use_aws',
          args: {
            type: 'object',
            properties: { service_name: { enum: ['s3'] } },
            required: ['service_name'],
          },
        },
      ],
    };
    assert.equal(await decision(callOf('use_aws', { service_name: 's3' }), file), 'allow');
    assert.equal(await decision(callOf('use_aws', { service_name: 'iam' }), file), 'deny');
    assert.equal(await decision(callOf('use_aws', {}), file), 'deny');
  });

  test('an error in a condition makes a guard hold and a permission not', async () => {
    const when = "args.service_name in ['s3'] && env.name != 'production'";
    const allow: PolicyFile = { default: 'deny', rules: [{ effect: 'allow', tool: 'use_aws', when }] };
    const deny: PolicyFile = { default: 'allow', rules: [{ effect: 'deny', tool: 'use_aws', when }] };
    const s3 = callOf('use_aws', { service_name: 's3' });
    assert.equal(await decision(s3, allow), 'allow');
    assert.equal(await decision({ ...s3, environment: 'production' }, allow), 'deny');
    assert.equal(await decision(s3, deny), 'deny');
    assert.equal(await decision(callOf('use_aws', { service_name: 'iam' }), deny), 'allow');
    assert.equal(await decision(callOf('use_aws', {}), allow), 'deny');
    assert.equal(await decision(callOf('use_aws', {}), deny), 'deny');
  });

  test('a rate lets an allow rule end and a deny rule begin', async () => {
    const rate = { per_minute: 3 };
    const allow = await setOf({ default: 'deny', rules: [{ effect: 'allow', tool: 'fs_read', rate }] });
    const deny = await setOf({ default: 'allow', rules: [{ effect: 'deny', tool: 'fs_read', rate }] });
    const at = (used: 'within' | 'beyond', set: typeof allow): string =>
      decide(set, read, { files: NO_FILES, home: HOME, rates: () => used }).decision;
    assert.deepEqual([at('within', allow), at('beyond', allow)], ['allow', 'deny']);
    assert.deepEqual([at('within', deny), at('beyond', deny)], ['allow', 'deny']);
  });

  test('approvals of the rules that ask are handed on', async () => {
    const set = await setOf({
      default: 'allow',
      rules: [{ effect: 'ask', tool: 'fs_read', approval: { by: ['operator'], timeout_s: 900 } }],
    });
    assert.deepEqual(verdictOf(set, read).approvals, [{ by: ['operator'], timeout_s: 900 }]);
  });
});

const effects = fc.constantFrom<Decision>('allow', 'ask', 'deny');
const rules: fc.Arbitrary<RuleFile> = fc.record(
  {
    effect: effects,
    tool: fc.constantFrom('fs_read', 'fs_*', '*', 'execute_bash', '@git/*'),
    command: fc.constantFrom('git push', 'git', 'ls', 'rm'),
    path: fc.constantFrom('**/.env', 'src/**', '/etc/**'),
  },
  { requiredKeys: ['effect'] },
);
const policies: fc.Arbitrary<PolicyFile> = fc.record(
  { layer: fc.constantFrom(...LAYERS), default: effects, rules: fc.array(rules, { maxLength: 4 }) },
  { requiredKeys: ['layer'] },
);
const calls = fc.constantFrom(
  read,
  callOf('fs_write', { path: '.env', content: '' }),
  callOf('@git/push', {}),
  bash('git push'),
  bash('ls && git status > src/x'),
  bash('rm "'),
  bash('cat .env'),
);

describe('properties', () => {
  const OPTIONS = { numRuns: 300 };

  test('a further layer below never makes a verdict laxer', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(policies, { minLength: 1, maxLength: 4 }),
        policies,
        calls,
        async (files, more, call) => {
          const top = Math.min(...files.map(({ layer }) => LAYERS.indexOf(layer ?? 'organisation')));
          fc.pre(top < LAYERS.length - 1);
          const below = {
            ...more,
            layer: LAYERS[Math.max(top + 1, LAYERS.indexOf(more.layer ?? 'step'))] ?? 'step',
          };
          const before = STRICT.indexOf(await decision(call, ...files));
          assert.ok(STRICT.indexOf(await decision(call, ...files, below)) >= before);
        },
      ),
      OPTIONS,
    );
  });

  test('the order of files and of rules means nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(policies, { minLength: 2, maxLength: 5 }), calls, async (files, call) => {
        const turned = files
          .toReversed()
          .map((file) => ({ ...file, rules: (file.rules ?? []).toReversed() }));
        assert.equal(await decision(call, ...turned), await decision(call, ...files));
      }),
      OPTIONS,
    );
  });

  test('a decision never throws, whatever an agent sends', async () => {
    const set = await setOf({
      default: 'allow',
      rules: [
        { effect: 'allow', tool: '*' },
        { effect: 'deny', path: '**/.env' },
        { effect: 'deny', host: { classes: ['loopback'] } },
        { effect: 'deny', command: { program: 'git', subcommand: 'push', args: '--force' } },
      ],
    });
    const tools = fc.oneof(
      fc.string(),
      fc.constantFrom('fs_read', 'execute_bash', 'exec', 'http_fetch', '@a/b'),
    );
    const key = fc.constantFrom(
      'path',
      'command',
      'argv',
      'url',
      'cwd',
      'stdin',
      'headers',
      'operations',
      'x',
    );
    const args = fc.dictionary(key, fc.jsonValue({ maxDepth: 3 }));
    fc.assert(
      fc.property(tools, args, (tool, given) => {
        const { decision: made } = verdictOf(set, callOf(tool, JSON.parse(JSON.stringify(given))));
        assert.ok(STRICT.includes(made));
      }),
      { numRuns: 2000 },
    );
  });
});
