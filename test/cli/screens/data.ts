/** What the golden screens show: a small world that never changes. */
import type { AuditRecord } from '../../../src/cli/audit/audit-record.ts';
import type { HealthRow } from '../../../src/cli/health/health-row.ts';
import type { Part } from '../../../src/cli/text/parts.ts';
import type { Json, JsonObject } from '../../../src/definition/workflow.ts';
import type { ApprovalDocument } from '../../../src/protocol/approval-control.ts';
import type { InstanceSummary, StatusDocument, StepDocument } from '../../../src/protocol/control.ts';
import type { FireDocument, ScheduleDocument } from '../../../src/protocol/schedule-control.ts';
import type { ArchiveDocument } from '../../../src/protocol/upkeep-control.ts';
import type { VersionDocument, WorkflowSummary } from '../../../src/protocol/workflow-control.ts';
import { NOON } from '../../setup/golden.ts';

/** A moment so many seconds before noon. */
export function before(seconds: number): string {
  return new Date(NOON - seconds * 1000).toISOString();
}

const HASH = '3fa9c2d1'.padEnd(64, '0');

export const DEPLOY: Json = {
  name: 'deploy',
  version: '1.4.2',
  description: 'Build, check and ship the service',
  inputs: {
    version: { type: 'string', required: true },
    dry_run: { type: 'boolean', default: false },
  },
  steps: [
    { id: 'build', type: 'skill', skill: 'docker-build' },
    {
      id: 'checks',
      type: 'parallel',
      steps: [
        { id: 'unit', type: 'skill', skill: 'npm-test' },
        { id: 'lint', type: 'skill', skill: 'npm-lint' },
        { id: 'audit', type: 'skill', skill: 'npm-audit' },
      ],
    },
    {
      id: 'mend',
      type: 'loop',
      condition: 'checks.unit.exit_code != 0',
      max_iterations: 5,
      steps: [
        { id: 'propose', type: 'agent', agent: 'mender' },
        { id: 'try', type: 'skill', skill: 'npm-test' },
      ],
    },
    { id: 'ask', type: 'approval', message: 'Ship it?' },
    {
      id: 'where',
      type: 'conditional',
      condition: 'inputs.dry_run',
      then: [{ id: 'print', type: 'skill', skill: 'echo' }],
      else: [{ id: 'ship', type: 'skill', skill: 'kubectl-apply' }],
    },
  ],
  resource_limits: { max_memory_mb: 512, max_cpu_percent: 150 },
};

/** With what `show` has beside the steps. */
export const DEPLOY_IN_FULL: Json = {
  ...(DEPLOY as JsonObject),
  inputs: {
    version: { type: 'string', required: true, description: 'the tag to ship' },
    dry_run: { type: 'boolean', default: false },
  },
  triggers: [{ type: 'manual' }, { type: 'schedule', cron: '30 2 * * 1-5', timezone: 'Europe/Berlin' }],
  handlers: [{ id: 'page', type: 'skill', skill: 'notify' }],
  error_handling: {
    default: 'rollback',
    per_step: {
      build: { strategy: 'retry', max_attempts: 5, then: 'custom', custom_handler: 'page' },
      lint: 'skip',
      audit: { continue_on_error: true },
    },
  },
};

export function run(more: Partial<StatusDocument> = {}): StatusDocument {
  return {
    id: '4kz7q2m8x1',
    workflow: 'deploy',
    version: '1.4.2',
    definition: HASH,
    status: 'running',
    reason: null,
    paused: null,
    started_at: before(83),
    ended_at: null,
    created_at: before(84),
    workspace: '/home/eva/service',
    inputs: { version: '1.4.2' },
    steps: [],
    context: {},
    isolation: {
      backend: 'cgroup-v2',
      enforced: ['memory', 'cpu', 'processes', 'io'],
      observed: ['time', 'disk'],
      layers: null,
      tiers: {},
      networks: {},
    },
    limits: { max_memory_mb: 512, max_cpu_percent: 150, max_processes: 64, max_io_mb_per_s: 80 },
    usage: null,
    limits_hit: [],
    incarnations: 1,
    pid: 4711,
    notice: null,
    error: null,
    ...more,
  };
}

export const USED: NonNullable<StatusDocument['usage']> = {
  peak_memory_bytes: 311 * 1024 * 1024,
  cpu_seconds: 61.27,
  processes_peak: 9,
  cpu_throttled_seconds: 4.2,
  io_read_bytes: 12 * 1024 * 1024,
  io_written_bytes: 310 * 1024 * 1024,
  now: null,
  series: {
    interval_ms: 1000,
    memory_bytes: [40, 80, 120, 300, 311, 260, 90].map((mb) => mb * 1024 * 1024),
    cpu_percent: [20, 90, 150, 150, 140, 60, 10],
    io_read_bytes_per_s: [9, 3, 0, 0, 0, 0, 0].map((mb) => mb * 1024 * 1024),
    io_written_bytes_per_s: [0, 10, 80, 80, 80, 60, 0].map((mb) => mb * 1024 * 1024),
  },
  mean_memory_bytes: 171 * 1024 * 1024,
  mean_cpu_percent: 88,
};

/** `begun` and `over`: seconds before noon. */
export function step(
  path: string,
  status: StepDocument['status'],
  begun: number | null = null,
  over: number | null = null,
  more: Partial<StepDocument> = {},
): StepDocument {
  return {
    path,
    id: path.replace(/^.*[/!]/, ''),
    type: 'skill',
    status,
    attempts: begun === null ? 0 : 1,
    started_at: begun === null ? null : before(begun),
    ended_at: over === null ? null : before(over),
    outputs: null,
    error: null,
    approvals: [],
    ...more,
  };
}

export const UNIT_FAILED = {
  code: 'STEP_FAILED',
  message:
    'npm-test ended with exit status 1: 3 tests failed, the first in test/orders/total.test.ts line 41',
  step: 'checks/unit',
  hint: 'Read its output: q workflow logs <id> --step <path>.',
};

export const DONE_STEPS: readonly StepDocument[] = [
  step('build', 'completed', 83, 40.6),
  step('checks', 'completed', 40.5, 22.1, { type: 'parallel' }),
  step('checks/unit', 'completed', 40.4, 22.2, { attempts: 2 }),
  step('checks/lint', 'completed', 40.4, 38),
  step('checks/audit', 'completed', 40.4, 35.9),
  step('mend', 'completed', 22, 21.9, { type: 'loop' }),
  step('ask', 'completed', 21.8, 9.2, { type: 'approval' }),
  step('where', 'completed', 9.1, 1.2, { type: 'conditional' }),
  step('where/ship', 'completed', 9, 1.3, { outputs: { text: 'deployment.apps/orders configured' } }),
];

export const FAILED_STEPS: readonly StepDocument[] = [
  step('build', 'completed', 83, 40.6),
  step('checks', 'failed', 40.5, 22.1, { type: 'parallel', error: UNIT_FAILED }),
  step('checks/unit', 'failed', 40.4, 22.2, { attempts: 3, error: UNIT_FAILED }),
  step('checks/lint', 'failed', 40.4, 38, {
    error: {
      code: 'STEP_FAILED',
      message: 'npm-lint ended with exit status 2',
      step: 'checks/lint',
      hint: null,
    },
  }),
  step('checks/audit', 'cancelled', 40.4, 22.1),
];

export const WAITING_STEPS: readonly StepDocument[] = [
  ...DONE_STEPS.slice(0, 6),
  step('ask', 'waiting', 21.8, null, { type: 'approval', approvals: [2] }),
];

export const WORKFLOWS: readonly WorkflowSummary[] = [
  {
    name: 'deploy',
    version: '1.4.2',
    description:
      'Build, check and ship the service to the cluster, with an approval before anything changes there',
    source: 'workspace',
    file: '/home/eva/service/.amazonq/workflows/deploy.json',
    is_valid: true,
    problems: [],
  },
  {
    name: 'nightly-report',
    version: '0.3.0',
    description: '毎晩レポートを作る',
    source: 'registered',
    file: '/home/eva/reports/nightly.json',
    is_valid: true,
    problems: [],
  },
  {
    name: 'triage',
    version: '',
    description: '',
    source: 'user',
    file: '/home/eva/.aws/amazonq/workflows/triage.json',
    is_valid: false,
    problems: [{ severity: 'error', path: '$.steps[0]', message: 'needs an id' }],
  },
];

export const VERSIONS: readonly VersionDocument[] = [1, 2, 3].map((number) => ({
  workflow: 'deploy',
  number,
  definition: `${number}a9c2d1e`.padEnd(64, '0'),
  version: `1.${number}.0`,
  file: '/home/eva/service/.amazonq/workflows/deploy.json',
  registered_at: before(86_400 * (8 - 2 * number) + 300),
  registered_by: number === 2 ? null : 'eva',
  is_current: number === 3,
  runs: number * 7,
}));

export const INSTANCES: readonly InstanceSummary[] = (
  [
    ['4kz7q2m8x1', 'deploy', 'running', 83, null, null],
    ['9ab3kd02p7', 'deploy', 'queued', null, null, null],
    ['mxcyppwb5y', 'nightly-report', 'completed', 3 * 3600, 3 * 3600 - 94, 'completed'],
    ['t5e0w8z1aa', 'triage-of-everything-that-came-in-over-night', 'failed', 7300, 7000, 'step read failed'],
    [
      'c0ffee1234',
      'deploy',
      'killed',
      90_000,
      89_990,
      'kill switch workflow:deploy: it removed the wrong cluster',
    ],
  ] as const
).map(([id, workflow, status, started, ended, reason]) => ({
  id,
  workflow,
  version: '1.0.0',
  definition: HASH,
  status,
  reason,
  paused: null,
  approvals: [],
  created_at: before(started ?? 12),
  started_at: started === null ? null : before(started),
  ended_at: ended === null ? null : before(ended),
}));

const FIRE: FireDocument = {
  at: '2026-03-02T02:30:00.000Z',
  local: '2026-03-02T03:30:00+01:00',
  timezone: 'Europe/Berlin',
  cron: '30 3 * * *',
  change: null,
};

export const FIRES: readonly FireDocument[] = [
  FIRE,
  { ...FIRE, at: '2026-03-29T01:30:00.000Z', local: '2026-03-29T03:30:00+02:00', change: 'gap' },
  { ...FIRE, at: '2026-10-25T00:30:00.000Z', local: '2026-10-25T02:30:00+02:00', change: 'fold_first' },
];

export const SCHEDULES: readonly ScheduleDocument[] = [
  {
    workflow: 'nightly-report',
    paused: null,
    next: FIRE,
    last: { at: before(34_200), status: 'started', instance: 'mxcyppwb5y', reason: null },
    waiting: 0,
    problem: null,
  },
  {
    workflow: 'deploy',
    paused: { by: 'eva', since: before(600) },
    next: FIRE,
    last: { at: before(120), status: 'skipped', instance: null, reason: 'an instance still runs' },
    waiting: 2,
    problem: null,
  },
  {
    workflow: 'triage',
    paused: null,
    next: null,
    last: null,
    waiting: 0,
    problem: 'no such time zone: Mars/Olympus',
  },
];

export const APPROVALS: readonly ApprovalDocument[] = [
  {
    instance: '4kz7q2m8x1',
    number: 2,
    workflow: 'deploy',
    step: 'ask',
    attempt: 1,
    call: null,
    kind: 'approval',
    what: 'ask',
    agent: null,
    args: { message: 'Ship it?', image: 'registry.example/orders:1.4.2', replicas: 3 },
    args_hash: HASH,
    rules: [],
    reason: 'the step asks',
    by: [['eva', 'operator']],
    network: [],
    status: 'pending',
    requested_at: before(22),
    expires_at: before(-3578),
    decided: null,
  },
  {
    instance: '4kz7q2m8x1',
    number: 1,
    workflow: 'deploy',
    step: 'mend[0]/propose',
    attempt: 1,
    call: 'c3-1',
    kind: 'tool',
    what: 'execute_bash',
    agent: 'mender',
    args: {
      command:
        'git push --force-with-lease origin HEAD:refs/heads/mend/orders-total && gh pr create --fill --label automated --reviewer eva --base main',
    },
    args_hash: HASH,
    rules: ['team/push-needs-approval'],
    reason: 'pushes are looked at by a person',
    by: [],
    network: ['github.com:22', 'api.github.com:443'],
    status: 'denied',
    requested_at: before(60),
    expires_at: before(-3540),
    decided: { by: 'eva', at: before(40), reason: 'not on a Sunday' },
  },
];

export const RECORDS: readonly AuditRecord[] = [
  {
    v: 1,
    log: 'l1',
    seq: 1041,
    boot: 'b1',
    severity: 'info',
    type: 'instance.started',
    at: NOON - 83_000,
    actor: { kind: 'person', id: 'eva', uid: 1000 },
    instance: '4kz7q2m8x1',
    data: { workflow: 'deploy', version: '1.4.2', definition: HASH },
    hash: HASH,
  },
  {
    v: 1,
    log: 'l1',
    seq: 1042,
    boot: 'b1',
    severity: 'warning',
    type: 'permit.denied',
    at: NOON - 40_000,
    actor: { kind: 'person', id: 'eva', uid: 1000, via: 'mcp q-cli' },
    instance: '4kz7q2m8x1',
    data: {
      step: 'mend[0]/propose',
      call: 'c3-1',
      tool: 'execute_bash',
      rules: ['team/push-needs-approval'],
      reason: null,
    },
    hash: HASH,
  },
  {
    v: 1,
    log: 'l1',
    seq: 1043,
    boot: 'b1',
    severity: 'error',
    type: 'kill.tripped',
    at: NOON - 3000,
    actor: { kind: 'supervisor', id: 'supervisor', uid: null },
    instance: null,
    data: { scope: 'workflow:deploy', mode: 'kill', reason: 'it removed the wrong cluster' },
    hash: HASH,
  },
];

export const ARCHIVES: readonly ArchiveDocument[] = [
  {
    id: 'a1b2c3d4e5',
    workflow: 'nightly-report',
    version: '0.2.9',
    status: 'completed',
    created_at: before(86_400 * 40),
    ended_at: before(86_400 * 40 - 90),
    archived_at: before(86_400 * 2),
    file: '/home/eva/.q-workflow/archive/a1b2c3d4e5.qwa',
    bytes: 1_234_567,
  },
  {
    id: 'f6g7h8i9j0',
    workflow: 'deploy',
    version: '1.4.0',
    status: 'failed',
    created_at: before(86_400 * 35),
    ended_at: before(86_400 * 35 - 600),
    archived_at: before(7200),
    file: '/home/eva/.q-workflow/archive/f6g7h8i9j0.qwa',
    bytes: 88_000,
  },
];

export const PARTS: readonly Part[] = [
  {
    name: 'npm-test',
    type: 'code_inline',
    description: 'Runs the tests of a package and tells how many failed',
    file: '/home/eva/service/.q-skills/npm-test.json',
    source: 'workspace',
    is_usable: true,
    notes: [
      {
        severity: 'rewritten',
        path: '$.cmd',
        message: 'read as command',
        file: '/home/eva/service/.q-skills/npm-test.json',
      },
    ],
    facts: { command: 'npm test -- --grep {pattern}', parameters: ['pattern: string, default "."'] },
  },
  {
    name: 'kubectl-apply',
    type: 'code_command',
    description: '',
    file: '/home/eva/.q-skills/kubectl-apply.json',
    source: 'user',
    is_usable: false,
    notes: [
      {
        severity: 'error',
        path: '$.command',
        message: 'is missing',
        file: '/home/eva/.q-skills/kubectl-apply.json',
      },
    ],
    facts: {},
  },
];

export const HEALTH: readonly HealthRow[] = [
  { name: 'node', state: 'ok', detail: 'v24.1.0 at /opt/node/bin/node', fix: null },
  {
    name: 'disk',
    state: 'broken',
    detail: 'only 200 MB free',
    fix: 'free space where /home/eva/.q-workflow is',
  },
  {
    name: 'memory limit',
    state: 'missing',
    detail:
      'polling: an instance over its limit is ended up to 250 ms late, and a quick burst may pass unseen in between',
    fix: 'delegate the memory controller of cgroup v2 to this user (docs/isolation.md, "Delegation")',
  },
  {
    name: 'CPU limit',
    state: 'missing',
    detail: 'observed by polling, acted on late',
    fix: 'delegate the memory controller of cgroup v2 to this user (docs/isolation.md, "Delegation")',
  },
];

export function recordAt(index: number): AuditRecord {
  const record = RECORDS[index];
  if (record === undefined) throw new Error(`no record ${index}`);
  return record;
}

export function partAt(index: number): Part {
  const part = PARTS[index];
  if (part === undefined) throw new Error(`no part ${index}`);
  return part;
}
