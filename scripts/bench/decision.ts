/** What the policies take to decide about a shell command: 200 different ones, in a folder with little in it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GuardedCall } from '../../src/guard/policy/calls/call.ts';
import { type Measure, median } from './measure.ts';
import { SHELL_COMMANDS } from './shell-commands.ts';

const WARM_UP = 20;
const ROUNDS = 20;

export const decision: Measure = {
  name: 'decision',
  run: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'q-bench-decision-'));
    try {
      for (const name of ['src/engine', 'test', 'docs', 'dist'])
        mkdirSync(join(folder, name), { recursive: true });
      for (const name of ['package.json', 'README.md', 'src/index.ts']) writeFileSync(join(folder, name), '');
      const decide = await decider(folder);
      const first = SHELL_COMMANDS.map(decide);
      for (let round = 1; round < WARM_UP; round += 1) for (const command of SHELL_COMMANDS) decide(command);
      const rounds = Array.from({ length: ROUNDS }, () => SHELL_COMMANDS.map(decide));
      const each = SHELL_COMMANDS.map((_, index) => median(rounds.map((times) => times[index] ?? 0)));
      const common = { unit: 'ms', floor: null, floorIs: '' } as const;
      return [
        {
          ...common,
          name: 'policy decision of a shell command',
          value: median(each),
          bar: { of: 'value', atMost: 0.1 },
          rounds: ROUNDS * SHELL_COMMANDS.length,
          note: 'the median of 200 commands, warm',
        },
        {
          ...common,
          name: 'the same, the first 200 of a process',
          value: median(first),
          bar: null,
          rounds: SHELL_COMMANDS.length,
        },
      ];
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/** Decides by the shipped policy as a permit does, and tells how long it took. */
async function decider(folder: string): Promise<(command: string) => number> {
  const { decide } = await import('../../src/guard/policy/decide.ts');
  const { realFiles } = await import('../../src/guard/policy/files/file-facts.ts');
  const { defaultPolicy } = await import('../../src/guard/policy/files/find-policies.ts');
  const { policySet } = await import('../../src/guard/policy/files/policy-set.ts');
  const { guardRules } = await import('../../src/guard/policy/rules/guard-rules.ts');
  const home = join(folder, 'home');
  const guard = guardRules({
    state: [join(home, '.local', 'state', 'q-workflow')],
    config: [join(home, '.config', 'q-workflow')],
  });
  const set = policySet([(await defaultPolicy()).policy], guard);
  const from = { workspace: folder, cwd: folder, workflow: null, agent: null, step: null, environment: null };
  return (command) => {
    const call: GuardedCall = { kind: 'tool', tool: 'execute_bash', args: { command }, ...from };
    const startedAt = performance.now();
    decide(set, call, { files: realFiles(), home });
    return performance.now() - startedAt;
  };
}
