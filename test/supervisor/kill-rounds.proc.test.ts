import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { tripSwitch } from '../../src/cli/kill/kill-run.ts';
import type { Client } from '../../src/client/client.ts';
import { locateHome } from '../../src/protocol/home.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import { callerOf, connectTo } from '../setup/control.ts';
import { foldersOf, processesOf } from '../setup/leftovers.ts';
import { seededRandom } from '../setup/seeded-random.ts';

const ROUNDS = process.env['Q_TEST_SOAK'] === '1' ? 200 : 10;
const SEED = Number(process.env['Q_TEST_SEED'] ?? 20_261);
const SCOPES = ['global', 'workflow', 'instance', 'step'] as const;
const STEPS = ['left', 'right'] as const;

/**
 * Whatever is killed, and when: once the kill has answered nothing that it covers writes another byte, and none of its
 * processes is left. The steps write as fast as a shell can, deaf to SIGTERM and from a child of a child as well.
 */
describe(`no side effect after a kill, ${ROUNDS} rounds of seed ${SEED}`, {
  timeout: ROUNDS * 30_000,
}, () => {
  let bench: Bench;
  let client: Client;
  before(async () => {
    bench = openBench();
    bench.script(
      'write.sh',
      `trap '' TERM HUP
      write() { while :; do echo "$1" >> "$2"; done; }
      (setsid sh -c 'while :; do echo far >> "$0"; done' "$1.far" &)
      write near "$1.near"\n`,
    );
    bench.skill('write', { type: 'code_inline', command: 'sh', args: ['write.sh', '{file}'] });
    const step = (id: string): object => ({
      id,
      type: 'skill',
      skill: 'write',
      inputs: { file: `\${{ inputs.round + "-${id}" }}` },
    });
    bench.workflow('writers', {
      inputs: { round: { type: 'string', required: true } },
      steps: [{ id: 'both', type: 'parallel', wait_for: 'all', steps: STEPS.map(step) }],
    });
    assert.equal((await bench.q('supervisor', 'start')).status, 0);
    client = await connectTo(bench);
  });
  after(async () => {
    client.close();
    await bench.close();
  });

  test('global, workflow, instance and step, at any time', async () => {
    const random = seededRandom(SEED);
    let hadWritten = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const kind = SCOPES[round < SCOPES.length ? round : Math.floor(random() * SCOPES.length)] ?? 'global';
      // Half of them fall into the start of the run, half into its writing.
      const isEarly = random() < 0.5;
      const pauseMs = Math.floor(random() * (isEarly ? 500 : 60));
      const name = `round${round}`;
      const { id } = await client.call('workflow.run', {
        target: 'writers',
        caller: callerOf(bench),
        inputs: { round: name },
        context: {},
        env: { PATH: process.env['PATH'] ?? '' },
      });
      const what = `round ${round}: ${kind} of ${id}, ${isEarly ? 'early' : 'late'} + ${pauseMs} ms`;
      if (!isEarly) await eventually(`${what} writes`, () => bytesOf(`${name}-left.far`) > 0);
      await wait(pauseMs);
      const { scope, files } = {
        global: { scope: 'global', files: name },
        workflow: { scope: 'workflow:writers', files: name },
        instance: { scope: `instance:${id}`, files: name },
        step: { scope: `step:${id}/both/left`, files: `${name}-left` },
      }[kind];
      const done = await tripSwitch(locateHome({ Q_WORKFLOW_HOME: bench.home }), {
        scope,
        mode: 'kill',
        reason: what,
        caller: callerOf(bench),
      });
      const written = sizesOf(files);
      assert.deepEqual([done.survivors, done.escalated, done.carried_out_by], [0, [], 'supervisor'], what);
      if (kind !== 'step') assert.deepEqual(processesOf(id), [], what);
      if (Object.keys(written).length > 0) hadWritten += 1;
      // The rest of the run of which a step was killed ends by itself.
      const end = await eventually(`${what}: the end`, async () => {
        const now = await client.call('instance.status', { id });
        return now.ended_at !== null && now;
      });
      assert.equal(end.status, kind === 'step' ? 'failed' : 'killed', what);
      assert.equal(end.error?.code, 'KILL_SWITCH', what);
      const isGone = (): boolean => processesOf(id).length === 0 && foldersOf(id).length === 0;
      await eventually(`${what}: its last process and cgroup go`, isGone);
      assert.deepEqual(sizesOf(files), written, what);
      const phrase = kind === 'global' ? 'rearm global' : null;
      await client.call('kill.rearm', { scope, reason: 'next', phrase, caller: callerOf(bench) });
    }
    // Kills of what never wrote would prove little.
    assert.ok(
      hadWritten >= ROUNDS / 4,
      `only in ${hadWritten} of ${ROUNDS} rounds anything had been written`,
    );
  });

  const bytesOf = (file: string): number =>
    statSync(join(bench.workspace, file), { throwIfNoEntry: false })?.size ?? 0;
  const sizesOf = (prefix: string): Record<string, number> =>
    Object.fromEntries(
      readdirSync(bench.workspace)
        .filter((file) => file.startsWith(`${prefix}-`) || file.startsWith(`${prefix}.`))
        .map((file) => [file, bytesOf(file)]),
    );
});
