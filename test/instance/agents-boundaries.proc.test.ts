import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import type { Failpoint } from '../../src/protocol/failpoint.ts';
import { checkPairs } from '../agents/fake-world.ts';
import type { MockTurn } from '../provider/scenario.ts';
import { openAgentBench } from '../setup/agents.ts';
import { ROOT } from '../setup/bench-home.ts';
import { endAfterCrash, textOf } from '../setup/leftovers.ts';
import { auditOf } from '../setup/network.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

/** Two commands side by side, one with a hook before and after it, a call of a server, an answer. */
const bash = (line: string): { name: string; args: { command: string } } => ({
  name: 'execute_bash',
  args: { command: `echo ${line} >> ran.txt` },
});
const TURNS: readonly MockTurn[] = [
  { calls: [bash('one'), bash('two')] },
  { calls: [{ name: 'calc___echo', args: { a: 1 } }, bash('three')] },
  { text: 'done' },
];
const HOOK = (event: string): object[] => [
  { matcher: 'execute_bash', command: `echo ${event} >> hooks.txt` },
];

const POINTS: readonly Failpoint[] = [
  'instance.append',
  'instance.acked',
  'supervisor.before_commit',
  'supervisor.after_commit',
];
/** More than a run passes of any of them; what is beyond the last one crashes nowhere. */
const MOST = 34;
const isSoak = process.env['Q_TEST_SOAK'] === '1';
const BOUNDARIES = POINTS.flatMap((point, row) =>
  Array.from({ length: MOST }, (_, index) => ({ point, count: index + 1 })).filter(
    ({ count }) => isSoak || count === 7 + 5 * row,
  ),
);

/** Where an agent is under way, at each commit: its process or the supervisor dies before and after it. */
describe('an agent and a crash at each boundary of its records', { timeout: 7_200_000, skip: lacks }, () => {
  for (const { point, count } of BOUNDARIES)
    test(`${point} ${count}: each call has its intent first, its outcome, and runs once at most`, async (t) => {
      let number = 0;
      // A request that was lost is asked again; what a call said is in the conversation.
      const desk = await openAgentBench((body) => {
        number += 1;
        const said = JSON.stringify(body);
        const turn = said.includes('c2-') || said.includes('three') ? 2 : said.includes('echo one') ? 1 : 0;
        return TURNS[turn] ?? { text: 'done' };
      });
      t.after(() => desk.close());
      copyFileSync(join(ROOT, 'test/agents/mcp-server.mjs'), join(desk.bench.workspace, 'server.mjs'));
      desk.agent('helper', {
        tools: ['execute_bash', '@calc'],
        mcpServers: { calc: { command: process.execPath, args: ['server.mjs'] } },
        hooks: { preToolUse: HOOK('before'), postToolUse: HOOK('after') },
      });
      desk.workflow('crashing');
      await desk.bench.qWith({ Q_WORKFLOW_FAILPOINT: `${point}:${count}` }, 'supervisor', 'start');
      const id = await desk.start('crashing');
      const run = await endAfterCrash(desk.bench, id);
      assert.equal(run.status, 'completed', JSON.stringify(run.error));
      const events = desk.agentEvents(id);
      checkPairs(events);
      const linesOf = (file: string): string[] =>
        textOf(join(desk.bench.workspace, file))
          .split('\n')
          .filter((line) => line !== '');
      const ran = linesOf('ran.txt');
      const intents = events.filter((event) => event.type === 'agent.tool_called');
      const ended = new Map(
        events.flatMap((event) => (event.type === 'agent.tool_ended' ? [[event.call, event.outcome]] : [])),
      );
      const permits = auditOf(desk, id, 'permit.decided').filter(({ decision }) => decision === 'allow');
      const isPermitted = (call: string): boolean => permits.some((permit) => permit['call'] === call);
      for (const line of ['one', 'two', 'three']) {
        const own = intents.filter(({ args }) => args['command'] === `echo ${line} >> ran.txt`);
        const outcomes = own.map(({ call }) => ended.get(call));
        const times = ran.filter((each) => each === line).length;
        const what = `${line}: ${times} times, ${JSON.stringify(outcomes)}`;
        // Only what is told as interrupted may have run besides.
        assert.ok(times <= own.length, what);
        assert.ok(times >= outcomes.filter((outcome) => outcome === 'ok').length, what);
        for (const { call } of own)
          assert.ok(ended.get(call) !== 'ok' || isPermitted(call), `${call} ran without a permit`);
      }
      assert.ok(linesOf('hooks.txt').length <= intents.filter(({ hook }) => hook !== undefined).length);
      const requested = events.filter(({ type }) => type === 'agent.requested').length;
      assert.ok(number <= requested, `${number} requests, ${requested} intents`);
      assert.equal((await desk.bench.q('audit', 'verify')).status, 0);
    });
});
