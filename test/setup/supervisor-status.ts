import type { SupervisorStatus } from '../../src/protocol/control.ts';

/** The status of a supervisor with nothing to do, and what a test says. */
export function quietStatus(more: Partial<SupervisorStatus> = {}): SupervisorStatus {
  return {
    pid: 4242,
    version: '0.1.0',
    home: '/h',
    started_at: '2026-06-01T12:00:00.000Z',
    uptime_seconds: 60,
    isolation: { backend: 'polling', enforced: [], observed: [] },
    missing: [],
    instances: {},
    instances_awaited: 0,
    queue: [],
    capacity: {
      memory_bytes: 1024 ** 3,
      memory_promised_bytes: 0,
      cpu_percent: 400,
      cpu_promised_percent: 0,
    },
    next_fires: [],
    memory_bytes: 80 * 1024 ** 2,
    store_pending: 0,
    store_latency: null,
    loop_delay: { p99_ms: 0, max_ms: 0 },
    disk: null,
    approvals: { pending: 0, oldest: null },
    kill_switches: [],
    notifications: { targets: [], pending: 0, delivered: 0, failed: 0 },
    problems: [],
    audit: { log: 'l', key: 'k', anchor: '/a' },
    environment: 'default',
    config_home: null,
    service: null,
    ...more,
  };
}
