/** A workflow with every step type whose steps leave a line in a file, for the crash tests. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MockTurn } from '../provider/scenario.ts';
import type { Bench } from '../setup/bench-home.ts';

const CALL: MockTurn = { calls: [{ name: 'execute_bash', args: { command: 'echo called >> calls.txt' } }] };

/** What the agent's model answers: a call, and an end when it sees the result of one, whatever that is. */
export function answerCrash(body: unknown): MockTurn {
  return JSON.stringify(body).includes('"role":"tool"') ? { text: 'done' } : CALL;
}

/** How often the agent's call had its effect. */
export function callCount(bench: Bench): number {
  const file = join(bench.workspace, 'calls.txt');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
}

/** Puts the skills and the workflow into the bench's workspace. Every effect appends `<key> <attempt>` to effects.txt. */
export function installCrashWorkflow(bench: Bench): void {
  const effects = join(bench.workspace, 'effects.txt');
  bench.script(
    'effect.sh',
    `echo "$Q_WORKFLOW_IDEMPOTENCY_KEY $Q_WORKFLOW_ATTEMPT" >> ${effects}\n` +
      'if [ "$SKILL_PARAM_fails_before" -gt "$Q_WORKFLOW_ATTEMPT" ] 2>/dev/null; then exit 9; fi\n' +
      'echo \'{"ok": true, "value": 7}\'\n',
  );
  bench.script(
    'session.sh',
    `while read -r line; do echo "session $$" >> ${effects}.session; echo '{"ok": true}'; done\n`,
  );
  bench.skill('effect', { type: 'code_inline', command: 'sh', args: ['effect.sh'] });
  bench.skill('talk', { type: 'code_session', command: 'sh', args: ['session.sh'] });
  bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
  const effect = (id: string, more: object = {}): object => ({ id, type: 'skill', skill: 'effect', ...more });
  bench.workflow('crash', {
    context: { mutable: { counter: 0 } },
    // Held back by the CPU limit or not, the journal must have the same events each time.
    resource_limits: { max_cpu_percent: 1000 },
    steps: [
      { id: 'hello', type: 'skill', skill: 'say', inputs: { text: 'hello there' } },
      effect('first', { outputs: ['value'] }),
      effect('background', { async: true }),
      { id: 'group', type: 'parallel', wait_for: 'all', steps: [effect('left'), effect('right')] },
      { id: 'pick', type: 'parallel', wait_for: 'any', steps: [effect('quick')] },
      {
        id: 'choice',
        type: 'conditional',
        condition: 'first.value == 7',
        then: [effect('yes')],
        else: [effect('no')],
      },
      {
        id: 'turns',
        type: 'loop',
        condition: 'counter < 2',
        steps: [effect('turn', { set: { counter: 'counter + 1' } })],
      },
      effect('shaky', { inputs: { fails_before: 2 } }),
      effect('hopeless', { inputs: { fails_before: 99 } }),
      effect('handled', { inputs: { fails_before: 99 } }),
      {
        id: 'agent',
        type: 'agent',
        agent: 'helper',
        async: false,
        inputs: { task: 'Do it.' },
        guardrails: { max_iterations: 5 },
      },
      { id: 'ok', type: 'approval', message: 'Go on?' },
      // An open session would keep the process: it comes after the wait.
      { id: 'session', type: 'skill', skill: 'talk', inputs: { n: 1 } },
      effect('last'),
      { id: 'bye', type: 'skill', skill: 'say', inputs: { text: 'counted ${{ counter }}' } },
    ],
    handlers: [effect('rescue')],
    error_handling: {
      per_step: {
        shaky: { strategy: 'retry', max_attempts: 3, initial_delay: 0.02 },
        hopeless: 'skip',
        handled: { strategy: 'custom', custom_handler: 'rescue' },
      },
    },
  });
}

/** How often each effect ran: idempotency key without the instance, and attempt → times. */
export function effectCounts(bench: Bench): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of readFileSync(join(bench.workspace, 'effects.txt'), 'utf8').split('\n').filter(Boolean)) {
    const key = line.slice(line.indexOf(':') + 1);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
