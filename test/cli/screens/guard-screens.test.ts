import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { VerifyReport } from '../../../src/audit/verify/verify.ts';
import { NO_AGENTS } from '../../../src/cli/agents.ts';
import { verifyText } from '../../../src/cli/audit/audit-verify.ts';
import { drillText } from '../../../src/cli/kill/drill-text.ts';
import { killText } from '../../../src/cli/kill/kill-run.ts';
import { killStatusText } from '../../../src/cli/kill/kill-status.ts';
import { checkText, explainText, type PolicyCheck, testText } from '../../../src/cli/policies.ts';
import { listText } from '../../../src/cli/text/list-flags.ts';
import { partColumns } from '../../../src/cli/text/parts.ts';
import type { Screen } from '../../../src/cli/text/screen.ts';
import { wrapText } from '../../../src/cli/text/wrap.ts';
import type { DrillEvidence, KillDocument } from '../../../src/protocol/guard-documents.ts';
import { assertGolden, screenText } from '../../setup/golden.ts';
import * as data from './data.ts';

/** As the commands print them: lines are broken where the terminal ends. */
function screen(name: string, draw: (screen: Screen) => string): void {
  const text = (): string => screenText((each) => wrapText(draw(each), each.width));
  test(name, () => assertGolden(join(import.meta.dirname, `${name}.txt`), text()));
}

const SHIPPED: PolicyCheck = {
  file: '/home/eva/.config/q-workflow/policies/default.json',
  id: 'default',
  layer: 'organisation',
  mode: 'enforce',
  rules: 7,
  tests: 36,
  is_valid: true,
  problems: [],
};
const BROKEN: PolicyCheck = {
  ...SHIPPED,
  file: '/home/eva/service/.q-policies/team.json',
  id: 'team',
  layer: 'workspace',
  is_valid: false,
  problems: [
    {
      severity: 'error',
      path: '$.rules[3].effect',
      message: 'has to be allow, ask or deny, not "permit"',
      suggestion: 'allow',
    },
    { severity: 'error', path: '$.tests[0]', message: '"pushes are asked" gives allow, not ask' },
  ],
};

describe('screens of policies', () => {
  screen('policy-check', ({ style }) =>
    checkText({ is_valid: false, files: [SHIPPED, { ...BROKEN, mode: 'shadow' }] }, style),
  );
  screen('policy-test', ({ style }) =>
    testText(
      {
        is_valid: true,
        passed: false,
        files: [SHIPPED],
        cases: [
          {
            file: 'cases.json',
            name: 'a push to main is denied',
            expected: 'deny',
            decision: 'ask',
            rules: ['organisation/default#ask-writes'],
            reason: 'it changes a file (git push origin main)',
            passed: false,
          },
          {
            file: 'cases.json',
            name: 'reading is allowed',
            expected: 'allow',
            decision: 'allow',
            rules: [],
            reason: 'it only reads',
            passed: true,
          },
        ],
      },
      style,
    ),
  );
  screen('policy-explain', ({ style }) =>
    explainText(
      {
        decision: 'deny',
        reason: 'nobody pushes to main',
        rules: ['team/main#no-push'],
        layer: 'team',
        policyHash: '3fa9c2',
        chain: [
          {
            part: 'git push origin main',
            effect: 'deny',
            rule: 'team/main#no-push',
            layer: 'team',
            reason: 'nobody pushes to main',
          },
          {
            part: 'git status',
            effect: 'allow',
            rule: null,
            layer: 'organisation',
            reason: 'it only reads',
          },
        ],
        shadow: [],
        problems: [],
      } as never,
      style,
    ),
  );
});

describe('screens of kill switches', () => {
  const latch = {
    scope: 'workflow:deploy',
    mode: 'kill',
    reason: 'it removed the wrong cluster',
    by: 'person eva',
    tripped_at: data.before(40),
  } as const;
  const killed: KillDocument = {
    ...latch,
    is_new: true,
    carried_out_by: 'supervisor',
    instances: [
      { id: '4kz7q2m8x1', workflow: 'deploy', found: 8, killed: 8 },
      { id: '9ab3kd02p7', workflow: 'deploy', found: 3, killed: 3 },
    ] as unknown as KillDocument['instances'],
    escalated: ['9ab3kd02p7'],
    survivors: 0,
    ms: 46,
  };
  screen('kill', () => killText(killed));
  screen('kill-nothing', () => killText({ ...killed, instances: [], escalated: [], ms: 0 }));
  screen('kill-survivors', () => killText({ ...killed, survivors: 1, carried_out_by: 'command' }));
  screen('kill-status', ({ now }) =>
    killStatusText(
      {
        latches: [latch, { scope: null, hash: '3fa9c2d10000000000' }],
        running: [{ id: '4kz7q2m8x1', scope: 'workflow:deploy', processes: 2 }],
      },
      now,
    ),
  );
  screen('kill-status-none', ({ now }) => killStatusText({ latches: [], running: null }, now));

  const drilled = (held: boolean): DrillEvidence => ({
    held,
    id: 'm178zj38ew',
    scope: 'instance:m178zj38ew',
    started_at: data.before(2),
    processes: 8,
    ms_until_empty: 41,
    checks: [
      { name: 'processes', held: true, detail: '8 processes ran, 5 or more should' },
      { name: 'seen empty', held, detail: `${held ? 0 : 1} processes left after 41 ms, by an own look` },
      {
        name: 'resume refused',
        held: true,
        detail: 'KILL_SWITCH: the kill switch instance:m178zj38ew is tripped by person eva: drill',
      },
      {
        name: 're-armed',
        held,
        detail: held ? 'its switch is armed again' : 'its switch is tripped still',
      },
    ],
  });
  screen('kill-drill', (each) => drillText(drilled(true), each));
  screen('kill-drill-failed', (each) => drillText(drilled(false), each));
});

describe('screens of the audit and of agents', () => {
  const intact: VerifyReport = {
    verdict: 'intact',
    first_bad: null,
    problems: [],
    problem_count: 0,
    doubts: [],
    notes: [],
    database: '/home/eva/.q-workflow/q-workflow.db',
    log: '4b6213c0-a160-49eb-9ccd-29997a75d10e',
    key: 'ed25519:BAdMFEemxngxMDsOKf_CML4Zg42SnRqd2g9HJmUg2wo',
    records: 1043,
    first_seq: 1,
    last_seq: 1043,
    checkpoints: 21,
    signed_through: 1043,
    anchor: {
      file: '/home/eva/.local/share/q-workflow/anchors/4b6213c0-a160-49eb-9ccd-29997a75d10e.jsonl',
      found: true,
      checkpoints: 21,
      through: 1043,
    },
  };
  const bad = {
    kind: 'hash',
    seq: 812,
    message: 'record 812 does not have the hash that 813 was chained to',
  };
  screen('audit-verify', ({ style }) => verifyText(intact, style));
  screen('audit-verify-tampered', ({ style }) =>
    verifyText(
      {
        ...intact,
        verdict: 'tampered',
        first_bad: bad as never,
        problems: [bad as never],
        problem_count: 21,
        anchor: { ...intact.anchor, found: false },
        doubts: ['the anchor is not there: what was cut off at the end would not be seen'],
      },
      style,
    ),
  );
  screen('agents-list', (each) =>
    listText(
      data.PARTS.map((part) => ({ ...part, type: 'native' })),
      partColumns('agents'),
      { json: false, exact: false },
      NO_AGENTS,
      {},
      each,
    ),
  );
  screen('agents-list-empty', (each) =>
    listText([], partColumns('agents'), { json: false, exact: false }, NO_AGENTS, {}, each),
  );
});
