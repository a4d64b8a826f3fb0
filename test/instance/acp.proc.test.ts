import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import { lines } from '../agents/fake-world.ts';
import { assertNothingLeft, outputsOf } from '../setup/leftovers.ts';
import { GEMINI_KEY, openOtherBench } from '../setup/other-agents.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

const EDIT = { toolCallId: 't1', kind: 'edit', title: 'Edit', status: 'pending', rawInput: { path: 'made' } };

describe('an agent that speaks ACP', { timeout: 300_000, skip: lacks }, () => {
  test('asks, is allowed once, and its last words are the result', async (t) => {
    const desk = openOtherBench(t, {
      turns: [
        [
          { say: 'First I write. ' },
          { update: EDIT },
          {
            ask: { toolCallId: 't1' },
            granted: [
              { update: { toolCallId: 't1', status: 'in_progress' } },
              { touch: 'made' },
              {
                update: {
                  toolCallId: 't1',
                  status: 'completed',
                  content: [{ type: 'content', content: { type: 'text', text: 'wrote it' } }],
                },
              },
            ],
          },
          { update: { toolCallId: 't2', kind: 'read', status: 'completed', rawInput: { path: 'made' } } },
          { say: 'All is ' },
          { say: 'well' },
          { end: 'end_turn', usage: { inputTokens: 70, outputTokens: 8 } },
        ],
      ],
    });
    desk.workflow({ outputs: ['verdict'] });
    const { run, code } = await desk.run();
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.deepEqual(outputsOf(run, 'a'), {
      text: 'All is well',
      verdict: 'All is well',
      iterations: 1,
      usage: { in: 70, out: 8, cached: 0, estimated: false },
      tool_calls: 2,
    });
    assert.deepEqual(lines(desk.agentEvents(run.id)), [
      'requested 1',
      'tool_called c1-1 fs_write',
      'tool_ended c1-1 ok',
      'tool_called c1-2 fs_read',
      'tool_ended c1-2 ok',
      'answered 1 end_turn',
    ]);
    assertNothingLeft(run.id);
    const heard = desk.heard();
    const [began] = heard;
    assert.deepEqual([began?.['started'], began?.['key'], began?.['other']], [['--acp'], GEMINI_KEY, null]);
    assert.match(String(began?.['home']), /^\/var\/tmp\/q-workflow-\w+\/agent-\w+$/);
    assert.deepEqual(
      heard.flatMap(({ method }) => method ?? []),
      ['initialize', 'session/new', 'session/set_mode', 'session/prompt'],
    );
    assert.deepEqual(heard.find(({ method }) => method === 'session/set_mode')?.['params'], {
      sessionId: 's1',
      modeId: 'default',
    });
    assert.deepEqual(
      heard.flatMap(({ permission }) => permission ?? []),
      [{ outcome: { outcome: 'selected', optionId: 'p-yes' } }],
    );
    const logs = await desk.bench.q('logs', run.id);
    assert.match(logs.stdout + logs.stderr, /the key is \*\*\*/);
  });
});

void existsSync;
void join;
