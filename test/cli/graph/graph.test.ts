import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Flow, flowOf } from '../../../src/cli/graph/flow.ts';
import { layOut } from '../../../src/cli/graph/layout.ts';
import { flowMermaid } from '../../../src/cli/graph/mermaid.ts';
import { flowSvg } from '../../../src/cli/graph/svg.ts';
import { flowText } from '../../../src/cli/graph/text.ts';
import { PLAIN } from '../../../src/cli/text/style.ts';
import type { StepDocument } from '../../../src/protocol/control.ts';

const skill = (id: string, more: object = {}): object => ({ id, type: 'skill', skill: `do-${id}`, ...more });
const DEFINITION = {
  steps: [
    { id: 'ask', type: 'approval', message: 'Deploy <prod> & "go"?' },
    {
      id: 'checks',
      type: 'parallel',
      wait_for: 'any',
      steps: [skill('unit'), { id: 'review', type: 'agent', agent: 'reviewer' }],
    },
    {
      id: 'again',
      type: 'loop',
      condition: 'tries < 3',
      max_iterations: 3,
      steps: [
        skill('build', { undo: 'clean' }),
        { id: 'pick', type: 'conditional', condition: 'ok', then: [skill('push'), skill('tag')], else: [] },
      ],
    },
    skill('tell'),
  ],
  error_handling: { per_step: { build: { strategy: 'retry', max_attempts: 3 } } },
};
const flow = (steps: readonly StepDocument[] = []): Flow =>
  flowOf(JSON.parse(JSON.stringify(DEFINITION)), 'deploy 2.1.0', steps);
const step = (
  path: string,
  status: StepDocument['status'],
  more: Partial<StepDocument> = {},
): StepDocument => ({
  path,
  id: path.slice(path.lastIndexOf('/') + 1),
  type: 'skill',
  status,
  attempts: 1,
  started_at: '2026-03-01T12:00:00.000Z',
  ended_at: status === 'running' ? null : '2026-03-01T12:00:02.000Z',
  outputs: null,
  error: null,
  approvals: [],
  ...more,
});

test('a definition is a tree: double lines for what runs at once, an arrow for a loop', () => {
  assert.equal(
    flowText(flow(), PLAIN, 200),
    [
      'deploy 2.1.0',
      '├─ ask  asks: Deploy <prod> & "go"?',
      '├─ checks  at once, the first counts',
      '│  ╞═ unit  skill do-unit',
      '│  ╘═ review  agent reviewer',
      '├─ ↻ again  while tries < 3, at most 3 times',
      '│  ├─ build  skill do-build  [undo: clean]  [on error: retry, 3 attempts]',
      '│  └─ ◇ pick  if ok',
      '│     └─ then',
      '│        ├─ push  skill do-push',
      '│        └─ tag  skill do-tag',
      '└─ tell  skill do-tell',
    ].join('\n'),
  );
});

test('an instance has the state of each step; the turns of a loop are counted together', () => {
  const steps = [
    step('checks', 'completed'),
    step('checks/unit', 'completed'),
    step('checks/review', 'cancelled'),
    step('again', 'running'),
    step('again[0]/build', 'completed'),
    step('again[0]/pick', 'completed'),
    step('again[0]/pick/push', 'failed', { attempts: 2 }),
    step('again[0]/build!undo', 'completed'),
    step('again~2[1]/build', 'running'),
  ];
  const lines = flowText(flow(steps), PLAIN, 200).split('\n');
  assert.equal(lines[3], '│  ╞═ ✓ unit  skill do-unit  completed, 2.0 s');
  assert.equal(lines[4], '│  ╘═ ■ review  agent reviewer  cancelled, 2.0 s');
  assert.equal(
    lines[6],
    '│  ├─ ▸ build  skill do-build  [undo: clean (completed)]  [on error: retry, 3 attempts]  running, 2 times, 2.0 s',
  );
  assert.equal(lines[9], '│        ├─ ✗ push  skill do-push  failed, attempt 2, 2.0 s');
  assert.equal(lines[11], '└─ tell  skill do-tell');
});

test('the tree fits the width', () => {
  for (const line of flowText(flow(), PLAIN, 30).split('\n')) assert.ok(line.length <= 30, line);
});

test('Mermaid has branches, the way back of the loop, and every name escaped', () => {
  const lines = flowMermaid(flow([step('checks/unit', 'failed')])).split('\n');
  assert.deepEqual(lines.slice(0, 3), ['%% deploy 2.1.0', 'flowchart TD', '  begin(("start"))']);
  for (const line of [
    '  n1[/"ask<br/>asks: Deploy #60;prod#62; #38; #34;go#34;?"/]',
    '  n2 --> n3',
    '  n2 --> n4',
    '  n3 --> n5',
    '  n4 --> n5',
    '  n5 -->|"while"| n6',
    '  n7 -->|"then"| n8',
    '  n9 -.->|"again"| n5',
    '  n7 -.->|"else: again"| n5',
    '  n5 -->|"done"| n10',
    '  n10 --> over',
    '  class n3 failed',
  ])
    assert.ok(lines.includes(line), `${line} is missing in\n${lines.join('\n')}`);
});

describe('the SVG', () => {
  test('is well-formed, whatever the names are', () => {
    const hostile = {
      steps: [{ id: '"><script>x</script>&', type: 'skill', skill: "a'b\ud800\uffff\u001b[2J" }],
    };
    for (const svg of [flowSvg(flow()), flowSvg(flowOf(JSON.parse(JSON.stringify(hostile)), '<t> & "q"'))]) {
      checkXml(svg);
      assert.ok(!svg.includes('<script'));
    }
  });

  test('no box lies over another or outside of the picture, and branches are side by side', () => {
    const { boxes, width, height } = layOut(flow().nodes);
    assert.equal(boxes.length, 10);
    for (const [index, a] of boxes.entries()) {
      assert.ok(a.x >= 0 && a.y >= 0 && a.x + a.width <= width && a.y + a.height <= height, a.node.id);
      for (const b of boxes.slice(index + 1)) {
        const isApart =
          a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
        assert.ok(isApart, `${a.node.id} lies over ${b.node.id}`);
      }
    }
    const at = (id: string): number => boxes.find(({ node }) => node.id === id)?.y ?? -1;
    assert.equal(at('unit'), at('review'));
    assert.ok(at('push') < at('tag') && at('tag') < at('tell'));
  });
});

/** Every tag is closed in order, attributes are quoted, and text has no bare sign. */
function checkXml(xml: string): void {
  const open: string[] = [];
  const rest = xml.replace(
    /<(\/?)([a-z]+)((?: [\w:-]+="[^"<]*")*)(\/?)>/gi,
    (_, close: string, name: string, __: string, isEmpty: string) => {
      if (close !== '') assert.equal(open.pop(), name);
      else if (isEmpty === '') open.push(name);
      return '';
    },
  );
  assert.deepEqual(open, []);
  assert.ok(!/[<>]|&(?!(amp|lt|gt|quot|#39);)/.test(rest), rest);
  // Unpaired surrogates match only where characters are taken whole.
  assert.ok(!/[\u0000-\u0008\u000b-\u001f\ufffe\uffff\p{Surrogate}]/u.test(xml));
}
