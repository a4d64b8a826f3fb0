import { join } from 'node:path';
import { describe, test } from 'node:test';
import { AUDIT_COLUMNS, NO_RECORDS } from '../../../src/cli/audit/audit-list.ts';
import { recordText } from '../../../src/cli/audit/audit-record.ts';
import { errorText } from '../../../src/cli/base-command.ts';
import { explain, explainText } from '../../../src/cli/explain.ts';
import { flowOf } from '../../../src/cli/graph/flow.ts';
import { flowText } from '../../../src/cli/graph/text.ts';
import { healthText } from '../../../src/cli/health/health.ts';
import { logFormat } from '../../../src/cli/logs/log-format.ts';
import { APPROVAL_COLUMNS, noApprovals } from '../../../src/cli/run/approval-list.ts';
import { approvalsText } from '../../../src/cli/run/approvals.ts';
import { ARCHIVE_COLUMNS, NO_ARCHIVES } from '../../../src/cli/service/archive.ts';
import { NO_SCHEDULES, SCHEDULE_COLUMNS } from '../../../src/cli/service/schedule-list.ts';
import { nextFiresText } from '../../../src/cli/service/schedule-next.ts';
import { supervisorText } from '../../../src/cli/service/supervisor-text.ts';
import { NO_SKILLS } from '../../../src/cli/skills.ts';
import { definitionText } from '../../../src/cli/text/definition-text.ts';
import {
  type ListColumn,
  type ListExtras,
  type ListRequest,
  listText,
} from '../../../src/cli/text/list-flags.ts';
import {
  INSTANCE_COLUMNS,
  NO_VERSIONS,
  NO_WORKFLOWS,
  noInstances,
  VERSION_COLUMNS,
  WORKFLOW_COLUMNS,
} from '../../../src/cli/text/lists.ts';
import { partColumns, partText } from '../../../src/cli/text/parts.ts';
import type { Screen } from '../../../src/cli/text/screen.ts';
import { statusText, summary } from '../../../src/cli/text/summary.ts';
import { explainUnknown } from '../../../src/cli/unknown-command.ts';
import { validationText } from '../../../src/cli/validation.ts';
import { WorkflowError } from '../../../src/errors/workflow-error.ts';
import { assertGolden, type ScreenOptions, screenText } from '../../setup/golden.ts';
import { quietStatus } from '../../setup/supervisor-status.ts';
import * as data from './data.ts';

// Exact times are those of the machine's zone.
process.env['TZ'] = 'UTC';

function screen(name: string, draw: (screen: Screen) => string, options: ScreenOptions = {}): void {
  test(name, () => assertGolden(join(import.meta.dirname, `${name}.txt`), screenText(draw, options)));
}

function list<T>(
  rows: readonly T[],
  columns: readonly ListColumn<T>[],
  empty: string,
  request: Partial<ListRequest> = {},
  extras: ListExtras<T> = {},
): (screen: Screen) => string {
  return (each) => listText(rows, columns, { json: false, exact: false, ...request }, empty, extras, each);
}

describe('screens of lists', () => {
  screen('list', list(data.WORKFLOWS, WORKFLOW_COLUMNS, NO_WORKFLOWS));
  screen('list-empty', list([], WORKFLOW_COLUMNS, NO_WORKFLOWS));
  screen('list-no-match', list(data.WORKFLOWS, WORKFLOW_COLUMNS, NO_WORKFLOWS, { filter: ['name=deploi'] }));
  screen('list-versions', list(data.VERSIONS, VERSION_COLUMNS, NO_VERSIONS));
  screen('status-all', list(data.INSTANCES, INSTANCE_COLUMNS, noInstances(true)));
  screen('status-all-exact', list(data.INSTANCES, INSTANCE_COLUMNS, noInstances(true), { exact: true }));
  screen('status-none', list([], INSTANCE_COLUMNS, noInstances(false)));
  screen('schedule-list', list(data.SCHEDULES, SCHEDULE_COLUMNS, NO_SCHEDULES));
  screen('schedule-list-empty', list([], SCHEDULE_COLUMNS, NO_SCHEDULES));
  screen('schedule-next', (each) => nextFiresText({ workflow: 'nightly-report', fires: data.FIRES }, each));
  screen('schedule-next-none', (each) => nextFiresText({ workflow: 'triage', fires: [] }, each));
  screen('audit-list', list(data.RECORDS, AUDIT_COLUMNS, NO_RECORDS));
  screen('audit-list-empty', list([], AUDIT_COLUMNS, NO_RECORDS));
  screen('approvals', list(data.APPROVALS, APPROVAL_COLUMNS, noApprovals(true), {}, { draw: approvalsText }));
  screen('approvals-table', list(data.APPROVALS, APPROVAL_COLUMNS, noApprovals(true), { output: 'table' }));
  screen('approvals-none', list([], APPROVAL_COLUMNS, noApprovals(false)));
  screen('archive-list', list(data.ARCHIVES, ARCHIVE_COLUMNS, NO_ARCHIVES));
  screen('archive-list-empty', list([], ARCHIVE_COLUMNS, NO_ARCHIVES));
  screen('skills-list', list(data.PARTS, partColumns('skills'), NO_SKILLS));
  screen('skills-list-empty', list([], partColumns('skills'), NO_SKILLS));
  screen('explain-all', (each) => explainText(explain('6'), each));
});

describe('screens of one thing', () => {
  const validation =
    (isValid: boolean): ((each: Screen) => string) =>
    (each) =>
      validationText(
        {
          file: 'examples/deploy.json',
          is_valid: isValid,
          name: isValid ? 'deploy' : null,
          version: isValid ? '1.4.2' : null,
          problems: [
            ...(isValid
              ? []
              : ([
                  {
                    severity: 'error',
                    path: '$.steps[2].condition',
                    message: 'names the step "chekcs", and there is none of that name before it',
                    suggestion: 'checks',
                  },
                  {
                    severity: 'error',
                    path: '$.resource_limits.max_memory_mb',
                    message: 'has to be at least 16',
                  },
                ] as const)),
            {
              severity: 'warning',
              path: '$.steps[0].skill',
              message: 'no skill is called "docker-build" in any of the folders that are looked at from here',
            },
          ],
        },
        each,
      );
  screen('show', (each) =>
    definitionText(
      {
        ...data.WORKFLOWS[0],
        name: 'deploy',
        version: '1.4.2',
        description:
          'Build, check and ship the service to the cluster, with an approval before anything changes there',
        source: 'workspace',
        file: '/home/eva/service/.amazonq/workflows/deploy.json',
        is_valid: true,
        problems: [],
        definition: data.DEPLOY_IN_FULL,
      },
      each,
    ),
  );
  screen('graph', ({ style, width }) => flowText(flowOf(data.DEPLOY, 'deploy 1.4.2'), style, width));
  screen('graph-instance', ({ style, width }) =>
    flowText(flowOf(data.DEPLOY, 'deploy 1.4.2  4kz7q2m8x1  failed', data.FAILED_STEPS), style, width),
  );
  screen('validate-valid', validation(true));
  screen('validate-invalid', validation(false));
  screen('explain', (each) => explainText(explain('STEP_OOM'), each));
  screen('audit-show', (each) => recordText(data.recordAt(1), each));
  screen('skills-show', (each) => partText(data.partAt(0), each));
  screen('doctor', (each) => healthText(data.HEALTH, each));
  screen('supervisor-status', (each) =>
    supervisorText(
      {
        ...quietStatus({
          home: '/home/eva/.q-workflow',
          instances: { running: 2, queued: 1 },
          isolation: {
            backend: 'cgroup-v2',
            enforced: ['memory', 'cpu', 'processes'],
            observed: ['time', 'disk'],
          },
          missing: [
            'Steps run without a file system sandbox: bubblewrap is not allowed to make namespaces here.',
          ],
          queue: [
            { id: '9ab3kd02p7', workflow: 'deploy', priority: 3, waits_for: '512 MB of memory (40 MB free)' },
          ],
          store_latency: { p50_ms: 1.2, p99_ms: 12.5, samples: 321, window_seconds: 300 },
          disk: { free_bytes: 5 * 1024 ** 3, total_bytes: 50 * 1024 ** 3, reserve_bytes: 64 * 1024 ** 2 },
          approvals: { pending: 1, oldest: data.before(22) },
          next_fires: data.FIRES.slice(0, 1).map((fire) => ({ workflow: 'nightly-report', ...fire })),
        }),
        service: null,
      },
      each,
    ),
  );
  screen(
    'logs',
    ({ style }) => {
      const format = logFormat({ step: null, isRaw: false, isJson: false }, style);
      const log = (path: string): { path: string; attempt: number; file: string } => ({
        path,
        attempt: 1,
        file: 'f',
      });
      return [
        format(log('build'), { kind: 'line', at: 0, stream: 'o', text: 'Step 1/9 : FROM node:24' }),
        format(log('checks/unit'), {
          kind: 'line',
          at: 1,
          stream: 'e',
          text: '\u001b[31mfail\u001b[0m total\r\tof 3',
        }),
        format(log('checks/unit'), { kind: 'gap', at: 2, bytes: 1_000_000 }),
      ]
        .join('')
        .trimEnd();
    },
    { isUnbounded: true },
  );
});

describe('screens of a run', () => {
  const failed = data.run({
    status: 'failed',
    ended_at: data.before(20),
    steps: data.FAILED_STEPS,
    usage: data.USED,
    error: data.UNIT_FAILED,
  });
  const limited = data.run({
    status: 'failed',
    ended_at: data.before(20),
    steps: data.DONE_STEPS.slice(0, 1),
    usage: { ...data.USED, peak_memory_bytes: 512 * 1024 * 1024 },
    limits_hit: [
      { step: 'checks/unit', limit: 'memory', allowed: 512 * 1024 * 1024, peak: 512 * 1024 * 1024 },
      { step: null, limit: 'processes', allowed: 64, peak: 64, refused: 12 },
      { step: null, limit: 'cpu', allowed: 150, peak: 150, held_back_seconds: 12.3 },
    ],
    error: {
      code: 'STEP_OOM',
      message: 'npm-test needed more memory than its 512 MB and was killed by the kernel',
      step: 'checks/unit',
      hint: 'Raise resource_limits.max_memory_mb, or use less memory.',
    },
  });
  const killed = data.run({
    status: 'killed',
    ended_at: data.before(20),
    steps: data.DONE_STEPS.slice(0, 4),
    usage: data.USED,
    reason: 'it removed the wrong cluster',
    error: {
      code: 'KILL_SWITCH',
      message: 'the kill switch workflow:deploy was tripped by eva',
      step: null,
      hint: 'Run q workflow rearm workflow:deploy when it may run again.',
    },
  });
  const completed = data.run({
    status: 'completed',
    ended_at: data.before(1),
    steps: data.DONE_STEPS,
    usage: data.USED,
  });
  screen('summary-completed', (each) => summary(completed, each));
  screen('summary-failed', (each) => summary(failed, each));
  screen('summary-limit', (each) => summary(limited, each));
  screen('summary-killed', (each) => summary(killed, each));
  screen('status-completed', (each) => statusText(completed, each));
  screen('status-failed', (each) => statusText(failed, each));
  screen('status-waiting', (each) =>
    statusText(data.run({ status: 'waiting', steps: data.WAITING_STEPS, usage: data.USED }), each),
  );
  screen('status-running', (each) =>
    statusText(
      data.run({
        steps: [
          ...data.DONE_STEPS.slice(0, 1),
          data.step('checks', 'running', 40.5, null, { type: 'parallel' }),
          data.step('checks/unit', 'running', 12, null, { attempts: 2 }),
          data.step('checks/lint', 'completed', 40.4, 38),
        ],
        notice: 'its supervisor was away for 4 s; nothing was lost',
        usage: {
          ...data.USED,
          now: {
            memory_bytes: 90 * 1024 * 1024,
            cpu_percent: 110,
            processes: 7,
            io_read_bytes_per_s: 0,
            io_written_bytes_per_s: 60 * 1024 * 1024,
          },
        },
      }),
      each,
    ),
  );
});

describe('screens of errors', () => {
  const commands = ['workflow run', 'workflow status', 'workflow skills list', 'workflow supervisor start'];
  screen('unknown-command', (each) => {
    const { message, hint } = explainUnknown(['workflow', 'statsu'], commands);
    return errorText(new WorkflowError('USAGE', message, { hint }), each);
  });
  screen('error-problems', (each) =>
    errorText(
      new WorkflowError('INPUT_INVALID', 'deploy cannot start with these inputs', {
        problems: [
          { severity: 'error', path: '--input version', message: 'is required', suggestion: 'version=1.4.2' },
          {
            severity: 'error',
            path: '--input dry_runn',
            message: 'is not an input of the workflow deploy, which declares only version and dry_run',
          },
        ],
      }),
      each,
    ),
  );
});
