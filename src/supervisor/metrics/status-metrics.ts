import type { Vital } from '../watching/supervisor-status.ts';
import { type Family, gauge } from './registry.ts';

/** What the status of the supervisor says, as gauges. */
export function statusMetrics(status: Vital, queueLength: number): Family[] {
  const { capacity, store_latency: store, loop_delay: loop, disk } = status;
  const ofKind = (memory: number, cpu: number) => ({ memory, cpu });
  const has = ofKind(capacity.memory_bytes, capacity.cpu_percent / 100);
  const promised = ofKind(capacity.memory_promised_bytes, capacity.cpu_promised_percent / 100);
  return [
    gauge('q_workflow_build_info', 'Version and the means that hold limits; always 1.', [
      { labels: { version: status.version, backend: status.isolation.backend }, value: 1 },
    ]),
    gauge('q_workflow_uptime_seconds', 'How long the supervisor runs.', status.uptime_seconds),
    gauge(
      'q_workflow_instances',
      'Instances that have not ended, by status.',
      Object.entries(status.instances).map(([name, value]) => ({ labels: { status: name }, value })),
    ),
    gauge('q_workflow_queue_length', 'Instances that wait for room or their turn.', queueLength),
    gauge('q_workflow_capacity_memory_bytes', 'Memory that may be promised to instances.', has.memory),
    gauge('q_workflow_promised_memory_bytes', 'Memory that is promised to instances.', promised.memory),
    gauge('q_workflow_capacity_cpu_cores', 'Cores that may be promised to instances.', has.cpu),
    gauge('q_workflow_promised_cpu_cores', 'Cores that are promised to instances.', promised.cpu),
    ...(status.approvals === null
      ? []
      : [gauge('q_workflow_approvals_pending', 'Calls that wait for a person.', status.approvals.pending)]),
    gauge('q_workflow_kill_switches_active', 'Kill switches that are tripped.', status.kill_switches.length),
    gauge('q_workflow_notifications_pending', 'Deliveries under way.', status.notifications.pending),
    gauge('q_workflow_store_pending', 'Calls of the database without an answer yet.', status.store_pending),
    ...(store === null
      ? []
      : [
          gauge('q_workflow_store_latency_seconds', 'Of the last minutes, from call to durable answer.', [
            { labels: { quantile: '0.5' }, value: store.p50_ms / 1000 },
            { labels: { quantile: '0.99' }, value: store.p99_ms / 1000 },
          ]),
        ]),
    gauge('q_workflow_loop_delay_seconds', 'How late timers came in the last minutes.', [
      { labels: { quantile: '0.99' }, value: loop.p99_ms / 1000 },
      { labels: { quantile: '1' }, value: loop.max_ms / 1000 },
    ]),
    gauge('q_workflow_resident_memory_bytes', 'Memory of the supervisor itself.', status.memory_bytes),
    ...(disk === null
      ? []
      : [gauge('q_workflow_disk_free_bytes', 'On the disk of the state folder.', disk.free_bytes)]),
  ];
}
