import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SCHEDULE_COLUMNS } from '../../../src/cli/service/schedule-list.ts';
import { type Look, listTable, listText } from '../../../src/cli/text/list-flags.ts';
import { INSTANCE_COLUMNS, WORKFLOW_COLUMNS } from '../../../src/cli/text/lists.ts';
import { ago, localTime, PLAIN } from '../../../src/cli/text/style.ts';
import type { InstanceSummary } from '../../../src/protocol/control.ts';
import type { ScheduleDocument } from '../../../src/protocol/schedule-control.ts';
import type { WorkflowSummary } from '../../../src/protocol/workflow-control.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const lookAt = (width: number): Look => ({
  style: PLAIN,
  width,
  now: NOW,
  exact: false,
  time: (iso) => ago(iso, NOW),
});
const run = (more: Partial<InstanceSummary>): InstanceSummary => ({
  id: '4kzq80xv2m',
  workflow: 'deploy',
  version: '1.4.2',
  definition: '9f2c',
  status: 'completed',
  reason: 'completed',
  paused: null,
  approvals: [],
  created_at: '2026-03-01T11:54:59.000Z',
  started_at: '2026-03-01T11:55:00.000Z',
  ended_at: '2026-03-01T11:57:05.000Z',
  ...more,
});
const RUNS: readonly InstanceSummary[] = [
  run({}),
  run({
    id: 'a0000000b1',
    workflow: 'nightly-report-of-all-the-repositories-of-the-team',
    status: 'failed',
    reason: 'step fetch/download: the server did not answer in 30 s, after 5 attempts',
  }),
  run({ id: 'c999999999', status: 'queued', started_at: null, ended_at: null, reason: null }),
  run({
    id: 'd888888888',
    status: 'paused',
    ended_at: null,
    reason: null,
    paused: { by: 'eva', since: '2026-03-01T11:56:00.000Z' },
  }),
  run({ id: 'e777777777', status: 'waiting', ended_at: null, reason: null, approvals: [1] }),
  run({ id: 'f666666666', status: 'running', ended_at: null, reason: null, approvals: [2, 3] }),
];

test('the table of instances at 200 columns', () => {
  assert.equal(
    listTable(RUNS, INSTANCE_COLUMNS, lookAt(200)),
    [
      'ID          WORKFLOW                                                  STATUS       STARTED          TOOK  REASON',
      '4kzq80xv2m  deploy 1.4.2                                              ✓ completed  5 min ago  2 min 05 s',
      'a0000000b1  nightly-report-of-all-the-repositories-of-the-team 1.4.2  ✗ failed     5 min ago  2 min 05 s  step fetch/download: the server did not answer in 30 s, after 5 attempts',
      'c999999999  deploy 1.4.2                                              … queued     5 min ago           –',
      'd888888888  deploy 1.4.2                                              … paused     5 min ago  5 min 00 s  paused by eva',
      'e777777777  deploy 1.4.2                                              … waiting    5 min ago  5 min 00 s  approval 1',
      'f666666666  deploy 1.4.2                                              ▸ running    5 min ago  5 min 00 s  approval 2 and 1 more',
    ].join('\n'),
  );
});

test('at 80 columns the widest column is cut, and every column still shows something', () => {
  const lines = listTable(RUNS, INSTANCE_COLUMNS, lookAt(80)).split('\n');
  for (const line of lines) assert.ok(line.length <= 80, line);
  assert.deepEqual(lines, [
    'ID          WORKFLOW                STATUS       STARTED          TOOK  REASON',
    '4kzq80xv2m  deploy 1.4.2            ✓ completed  5 min ago  2 min 05 s',
    'a0000000b1  nightly-report-of-all…  ✗ failed     5 min ago  2 min 05 s  step fe…',
    'c999999999  deploy 1.4.2            … queued     5 min ago           –',
    'd888888888  deploy 1.4.2            … paused     5 min ago  5 min 00 s  paused…',
    'e777777777  deploy 1.4.2            … waiting    5 min ago  5 min 00 s  approva…',
    'f666666666  deploy 1.4.2            ▸ running    5 min ago  5 min 00 s  approva…',
  ]);
});

test('no escape of a name or reason reaches the terminal', () => {
  const rows = [run({ workflow: 'a\u001b[31mb', status: 'failed', reason: 'x\u001b]0;title\u0007y\nz' })];
  const text = listTable(rows, INSTANCE_COLUMNS, lookAt(200));
  assert.match(text, /ab 1\.4\.2.*xy z$/);
  assert.ok(!text.includes('\u001b'));
});

test('a broken workflow says how to see what is wrong with it', () => {
  const row: WorkflowSummary = {
    name: 'broken',
    version: '',
    description: '',
    source: 'workspace',
    file: '/w/broken.json',
    is_valid: false,
    problems: [{ severity: 'error', path: '$', message: 'x' }],
  };
  assert.equal(
    listTable([row], WORKFLOW_COLUMNS, lookAt(100)),
    [
      'NAME    VERSION  FROM       DESCRIPTION',
      'broken  –        workspace  1 problem: q workflow validate /w/broken.json',
    ].join('\n'),
  );
});

test('schedules: when next on the clock of their zone, and what became of the last', () => {
  const row: ScheduleDocument = {
    workflow: 'nightly',
    paused: null,
    next: {
      at: '2026-03-02T01:30:00.000Z',
      local: '2026-03-02T02:30:00+01:00',
      timezone: 'Europe/Berlin',
      cron: '30 2 * * *',
      change: null,
    },
    last: { at: '2026-03-01T10:00:00.000Z', status: 'started', instance: '4kzq80xv2m', reason: null },
    waiting: 1,
    problem: null,
  };
  assert.equal(
    listTable([row], SCHEDULE_COLUMNS, lookAt(120)),
    [
      'WORKFLOW  NEXT              ZONE           LAST',
      'nightly   2026-03-02 02:30  Europe/Berlin  started 2 h ago 4kzq80xv2m  1 waiting',
    ].join('\n'),
  );
});

test('a schedule of seconds shows them', () => {
  const next = {
    at: '2026-03-02T01:30:20.000Z',
    local: '2026-03-02T02:30:20+01:00',
    timezone: 'Europe/Berlin',
    cron: '*/20 * * * * *',
    change: null,
  };
  const row = { workflow: 'often', paused: null, next, last: null, waiting: 0, problem: null };
  assert.match(listTable([row], SCHEDULE_COLUMNS, lookAt(120)), /^often +2026-03-02 02:30:20 {2}Europe/m);
});

test('a time is told by how long ago it was, or its date', () => {
  const told = (seconds: number): string => ago(new Date(NOW - seconds * 1000).toISOString(), NOW);
  assert.deepEqual([0, 59, 3599, 86_399, 86_400, -59, -7200].map(told), [
    'just now',
    '59 s ago',
    '59 min ago',
    '23 h ago',
    '2026-02-28',
    'just now',
    '2026-03-01',
  ]);
});

test('the exact time has its offset', () => {
  assert.match(localTime('2026-03-01T12:00:00.000Z'), /^2026-0[23]-\d\d \d\d:\d\d:00 [+-]\d\d:\d\d$/);
  assert.equal(Date.parse(localTime('2026-03-01T12:00:00.000Z').replace(' ', 'T').replace(' ', '')), NOW);
  assert.equal(localTime(null), '–');
});

test('a list that is cut says that there is more, as a table only', () => {
  const screen = { style: PLAIN, width: 80, now: NOW } as Parameters<typeof listText>[5];
  const lines = (limit: number, output?: 'csv'): string[] =>
    listText(RUNS, INSTANCE_COLUMNS, { json: false, exact: false, output }, '', { limit }, screen).split(
      '\n',
    );
  assert.equal(lines(RUNS.length).length, RUNS.length + 1);
  assert.deepEqual(lines(2).slice(3), ['… and more than these 2: --limit shows them']);
  assert.equal(lines(2, 'csv').length, 3);
});
