import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Step } from '../../../src/definition/workflow.ts';
import type { RunEvent } from '../../../src/engine/events.ts';
import type { PermitRequest } from '../../../src/protocol/instance-link.ts';
import { claimProblem } from '../../../src/supervisor/intake/permit-claim.ts';
import { skill, workflow } from '../../engine/support.ts';

const { skill: _, ...leaf } = skill('a');
const helper: Step = { ...leaf, type: 'agent', agent: 'helper', guardrails: {} };
const file = workflow([helper, skill('s')]);
const intent: RunEvent = {
  type: 'agent.tool_called',
  path: 'a',
  iteration: 1,
  call: 'c1-1',
  tool: 'execute_bash',
  args: {},
};
const asked: PermitRequest = {
  kind: 'tool',
  path: 'a',
  attempt: 1,
  subject: 'helper',
  agentName: 'helper',
  tier: 'agent',
  agent: { iteration: 1, call: 'c1-1', tool: 'execute_bash' },
};
const begun: RunEvent = { type: 'step.started', path: 'a', stepType: 'agent', attempt: 1, inputs: {} };

test('what journal and workflow say too is no problem', () => {
  assert.equal(claimProblem(asked, intent, file), null);
  const spawn = { ...asked, kind: 'spawn' } as const;
  assert.equal(claimProblem(spawn, begun, file), null);
  assert.equal(claimProblem({ ...spawn, subject: '@files' }, begun, file), null);
});

test('a process that asks in the name of another tool, agent, step or start is told so', () => {
  const problems = (
    [
      [asked, null],
      [{ ...asked, agent: { iteration: 1, call: 'c1-1', tool: 'fs_read' } }, intent],
      [{ ...asked, kind: 'hook' }, intent],
      [{ ...asked, agentName: null }, intent],
      [{ ...asked, subject: 'other' }, intent],
      [
        { ...asked, path: 's', subject: 's', agentName: null },
        { ...intent, path: 's' },
      ],
      [
        { ...asked, path: 'nowhere' },
        { ...intent, path: 'nowhere' },
      ],
      [
        { ...asked, kind: 'spawn', path: 's', subject: '@files', agentName: null },
        { ...begun, path: 's' },
      ],
    ] as const
  ).map(([request, event]) => claimProblem(request, event, file));
  assert.deepEqual(problems, [
    'asked leave for a tool of a without an intent',
    'asked leave for a tool of a for fs_read with the intent of execute_bash',
    'asked leave for a hook of a with an intent of another kind',
    'asked leave for a tool of a for the agent null',
    'asked leave for a tool of a for other',
    'asked leave for a tool of s, which no such step asks',
    'asked leave for a tool of nowhere, which no such step asks',
    'asked leave for a spawn of s for @files',
  ]);
});
