import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askLeave, onTheClock } from '../../../src/agents/native/prompts.ts';
import { Transcript } from '../../../src/agents/native/transcript.ts';
import { type AgentJob, type AgentWorld, Suspended } from '../../../src/agents/run.ts';
import type { AgentEvent } from '../../../src/engine/agent-events.ts';
import type { Permit } from '../../../src/protocol/instance-link.ts';

const NONE = { maxOutputBytes: null, maxExecutionMs: null, maxTokens: null, maxCostUsd: null };

/** Attempts of one step whose prompt is `answers` in turn: `wait` asks a person. */
function promptsThat(...answers: readonly Permit['decision'][]) {
  return promptsUpTo(3, answers);
}

function promptsUpTo(maxIterations: number, answers: readonly Permit['decision'][]) {
  const left = [...answers];
  const transcript = new Transcript();
  const events: AgentEvent[] = [];
  const asked: (number | null)[] = [];
  const world = {
    mask: (text: string) => text,
    record: (more: readonly AgentEvent[]) => {
      for (const event of more) {
        events.push(event);
        transcript.apply(event);
      }
    },
    permit: async (_kind: string, { iteration }: { readonly iteration: number | null }) => {
      asked.push(iteration);
      const decision = left.shift() ?? 'allow';
      const approval = { number: 1, until: 9, by: null, at: null, reason: null };
      return { decision, reason: 'a person said so', ...(decision === 'wait' ? { approval } : {}) };
    },
  } as unknown as AgentWorld;
  const job = {
    path: 'a',
    attempt: 1,
    timeoutMs: null,
    limits: { maxIterations, ...NONE },
  } as unknown as AgentJob;
  const { signal } = new AbortController();
  return {
    transcript,
    asked,
    requests: () => events.filter(({ type }) => type === 'agent.requested').length,
    attempt: () =>
      onTheClock({ job, transcript, world, signal }, async (_clock, either) => ({
        sent: await askLeave(
          { job, transcript, world, signal: either },
          { name: 'acp', profile: 'gemini' },
          300,
        ),
      })),
    hold: () => transcript.hold(),
  };
}

test('a prompt that waited for a person is asked as the same one when it goes on, and sent once', async () => {
  const { attempt, hold, asked, requests, transcript } = promptsThat('wait', 'wait', 'allow');
  for (let time = 0; time < 2; time += 1) {
    await assert.rejects(attempt(), Suspended);
    hold();
  }
  assert.deepEqual(await attempt(), { sent: 1 });
  assert.deepEqual([asked, requests()], [[1, 1, 1], 1]);
  // What was never sent has cost nothing.
  assert.deepEqual(transcript.usage, { in: 0, out: 0, cached: 0, estimated: false });
});

test('the last prompt that is allowed is sent once a person has approved it, and none after it', async () => {
  const { attempt, hold } = promptsUpTo(1, ['wait', 'allow']);
  await assert.rejects(attempt(), Suspended);
  hold();
  assert.deepEqual(await attempt(), { sent: 1 });
  await assert.rejects(attempt(), { code: 'AGENT_LIMIT' });
});

test('one that a person denied is given up: the next attempt asks anew', async () => {
  const { attempt, hold, asked, requests, transcript } = promptsThat('wait', 'deny', 'allow');
  await assert.rejects(attempt(), Suspended);
  hold();
  await assert.rejects(attempt(), { code: 'POLICY_DENIED' });
  // As the instance does it before another attempt.
  transcript.startAnew();
  assert.deepEqual(await attempt(), { sent: 2 });
  assert.deepEqual([asked, requests()], [[1, 1, 2], 2]);
});

test('one that was sent and lost with its process costs what was estimated', async () => {
  const { attempt, asked, transcript } = promptsThat();
  await attempt();
  assert.deepEqual(await attempt(), { sent: 2 });
  assert.deepEqual(asked, [1, 2]);
  assert.deepEqual(transcript.usage, { in: 100, out: 0, cached: 0, estimated: true });
});
