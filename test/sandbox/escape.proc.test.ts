import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { NetworkAccess } from '../../sandbox/network/events.ts';
import { ATTEMPTS, CALLS, callsScript } from './escape/attempts.ts';
import { type Done, runConfined, runOutside, type Task } from './escape/confined.ts';
import { lacksSandbox, openStage, SOMEBODY, type Stage } from './escape/stage.ts';

const isRoot = process.getuid?.() === 0;
const lacks = await lacksSandbox();
const EPERM = '1';
const PROXIED: NetworkAccess = {
  rules: [{ host: 'a.example', ports: [443] }],
  onEvent: () => undefined,
};

/** Each attempt in a shell of its own, with a line `name: exit code` in the output. */
function allOf(attempts: readonly { readonly name: string; readonly script: string }[]): string {
  return attempts
    .map(({ name, script }) => `( ${script} ) </dev/null >/dev/null 2>&1; echo "${name}: $?"`)
    .join('\n');
}

function linesOf({ stdout, stderr, code }: Done): Map<string, string> {
  assert.equal(code, 0, stderr);
  return new Map(
    stdout
      .trim()
      .split('\n')
      .map((line) => [
        line.slice(0, line.lastIndexOf(' ')).replace(/:$/, ''),
        line.slice(line.lastIndexOf(' ') + 1),
      ]),
  );
}

for (const who of ['root', 'user'] as const) {
  const skip =
    lacks || (who === 'root' && !isRoot && 'this is not root, so steps never run as uid 0 here') || false;
  // A skipped suite counts nothing: one test says why.
  if (skip !== false) test(`out of the sandbox as ${who}`, { skip }, () => undefined);
  else
    describe(`out of the sandbox as ${who}`, { timeout: 300_000 }, () => {
      let stage: Stage;
      before(async () => {
        stage = await openStage(isRoot && who === 'user' ? SOMEBODY : null);
      });
      after(() => stage.close());

      const task = (tier: 'skill' | 'agent' | 'untrusted', argv: Task['argv']): Task => ({
        ground: stage.ground,
        env: stage.env,
        view: { tier, workspace: stage.workspace },
        argv,
      });
      // A user that is not there in the test of root cannot own a set-uid program of root's.
      const attempts = ATTEMPTS.filter(
        ({ as, needs }) =>
          (as === undefined || (as === who && (as === 'root' || isRoot))) &&
          (needs === undefined || existsSync(needs)),
      );
      const calls = Object.keys(CALLS).filter((name) => CALLS[name]?.as === undefined || who === 'root');

      test('the attempts succeed outside', async () => {
        const results = linesOf(await runOutside(task('skill', ['/bin/sh', '-c', allOf(attempts)])));
        assert.deepEqual(
          [...results].filter(([, code]) => code !== '0'),
          [],
        );
        assert.equal(results.size, attempts.length);
      });

      // With a proxy other links come before the command.
      for (const [tier, access] of [['skill'], ['agent'], ['agent', PROXIED], ['untrusted']] as const)
        test(`the attempts fail in the tier ${tier}${access === undefined ? '' : ' with a proxy'}`, async () => {
          const own = attempts.filter(({ tiers }) => tiers?.includes(tier as 'agent') ?? true);
          const asked = task(tier, ['/bin/sh', '-c', allOf(own)]);
          const results = linesOf(await runConfined(access === undefined ? asked : { ...asked, access }));
          assert.deepEqual(
            [...results].filter(([, code]) => code === '0'),
            [],
          );
          assert.equal(results.size, own.length);
        });

      test('the refused system calls are reached outside and answer EPERM in every tier', async (t) => {
        const argv = ['/usr/bin/python3', '-c', callsScript(calls)] as const;
        const outside = await runOutside(task('skill', argv)).catch(() => null);
        if (outside === null) {
          t.skip('there is no /usr/bin/python3 to make the calls with');
          return;
        }
        const reached = [...linesOf(outside)].filter(([, errno]) => errno !== EPERM).map(([name]) => name);
        // A kernel may refuse some to everybody (perf_event_paranoid, io_uring_disabled); most it does not.
        assert.ok(reached.length >= calls.length - 4, `reached outside: ${reached.join(', ')}`);
        for (const tier of ['skill', 'agent', 'untrusted'] as const) {
          const inside = linesOf(await runConfined(task(tier, argv)));
          assert.equal(inside.size, calls.length);
          assert.deepEqual(
            [...inside].filter(([, errno]) => errno !== EPERM),
            [],
            tier,
          );
        }
      });
    });
}
