import assert from 'node:assert/strict';
import { test } from 'node:test';
import { supervisorText } from '../../../src/cli/service/supervisor-text.ts';
import { displayWidth } from '../../../src/cli/text/display-width.ts';
import type { Screen } from '../../../src/cli/text/screen.ts';
import { PLAIN } from '../../../src/cli/text/style.ts';
import { quietStatus } from '../../setup/supervisor-status.ts';

const SCREEN: Screen = {
  style: PLAIN,
  width: Number.POSITIVE_INFINITY,
  now: Date.parse('2026-06-01T12:00:00Z'),
};

test('a quiet supervisor', () => {
  assert.equal(
    supervisorText({ ...quietStatus(), service: null }, SCREEN),
    [
      'supervisor 0.1.0  pid 4242, up 1 min 00 s, memory 80 MB',
      '  home       /h',
      '  isolation  polling: enforced nothing; observed nothing',
      '  instances  none',
      '  promised   memory 0 kB of 1.0 GB, CPU 0 of 4 cores',
      '  store      nothing written lately; 0 pending',
      '  loop       delay p99 0 ms, max 0 ms',
      '  approvals  none pending',
      '  notify     nobody (docs/operations.md)',
      '  audit      k, anchor /a',
    ].join('\n'),
  );
});

test('a busy one says why, in no line over 80 columns', () => {
  const long = `/very${'/long-folder'.repeat(12)}/工作流程`;
  const text = supervisorText(
    {
      ...quietStatus({
        home: long,
        isolation: {
          backend: 'cgroup-v2',
          enforced: ['memory', 'cpu', 'processes'],
          observed: ['time', 'disk'],
        },
        missing: [
          'Steps run without a file system sandbox: bubblewrap is not allowed to make namespaces here.',
        ],
        problems: [`${long}: $.notifications.desk needs either webhook or command`],
        instances: { running: 12, queued: 34, waiting: 5, paused: 1, initializing: 3, rolling_back: 2 },
        queue: Array.from({ length: 12 }, (_, index) => ({
          id: `abcdefghi${index}`,
          workflow: 'a-workflow-with-a-rather-long-name',
          priority: index === 0 ? 7 : 0,
          waits_for: index === 0 ? '512 MB of memory (40 MB of 1024 MB free)' : `${index} before it`,
        })),
        store_latency: { p50_ms: 1.234, p99_ms: 12.5, samples: 321, window_seconds: 300 },
        loop_delay: { p99_ms: 3.5, max_ms: 20 },
        disk: { free_bytes: 5 * 1024 ** 3, total_bytes: 50 * 1024 ** 3, reserve_bytes: 64 * 1024 ** 2 },
        approvals: { pending: 2, oldest: '2026-06-01T11:00:00.000Z' },
        kill_switches: [
          {
            scope: 'workflow:deploy',
            mode: 'kill',
            reason: 'it deleted what it should not have, and again\u001b[31m',
            by: 'person eva',
            tripped_at: '2026-06-01T11:55:00.000Z',
          },
        ],
        notifications: { targets: ['slack', 'pager'], pending: 1, delivered: 20, failed: 3 },
        next_fires: [
          {
            workflow: 'nightly',
            at: '2026-06-01T12:30:00.000Z',
            local: '2026-06-01T14:30:00+02:00',
            timezone: 'Europe/Berlin',
            cron: '30 14 * * *',
            change: null,
          },
        ],
      }),
      environment: 'production',
      service: { manager: 'systemd', scope: 'system', unit: 'q-workflow.service', enabled: true },
    },
    SCREEN,
  );
  for (const line of text.split('\n')) assert.ok(displayWidth(line) <= 80, line);
  for (const part of [
    '  service    q-workflow.service (systemd, system), enabled',
    '  store      commit p50 1.2 ms, p99 13 ms (321 writes); 0 pending',
    '  disk       5.0 GB of 50.0 GB free, 64 MB kept',
    '  approvals  2 pending, the oldest 1 h ago',
    '  policies   of the environment production',
    '  notify     slack, pager: 20 delivered, 3 failed, 1 pending',
    '  kill       workflow:deploy tripped 5 min ago by person eva: it deleted what it',
    '  queued     abcdefghi0 a-workflow-with-a-rather-long-name (priority 7) waits',
    '             for 512 MB of memory (40 MB of 1024 MB free)',
    '             and 2 more',
    '  next       2026-06-01 14:30:00 Europe/Berlin  in 30 min 00 s  nightly',
  ])
    assert.ok(text.split('\n').includes(part), `${part}\n\n${text}`);
  assert.ok(!text.includes('\u001b'), 'no escape of a reason reaches the terminal');
});

test('a supervisor of an earlier version is shown with what it tells', () => {
  const { capacity: _, ...older } = quietStatus();
  const text = supervisorText({ ...older, service: null } as never, SCREEN);
  assert.match(
    text,
    /^supervisor 4242 runs, limits by polling, home \/h\n.*\nversion 0\.1\.0: restart it to see more$/,
  );
});
