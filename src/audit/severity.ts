/** How much a record should worry whoever reads it. The words are those of syslog(3). */
export type Severity = 'info' | 'notice' | 'warning' | 'error';

const PREFIXES: readonly (readonly [prefix: string, severity: Severity])[] = [
  ['audit.anchor_', 'error'],
  ['audit.key_', 'error'],
  ['audit.pruned', 'notice'],
  ['audit.payload_erased', 'notice'],
  ['spool.rejected', 'error'],
  ['store.restored', 'warning'],
  ['disk.low', 'warning'],
  ['policy.', 'notice'],
  ['notification.', 'warning'],
  ['limit.', 'warning'],
  ['kill.', 'warning'],
  ['supervisor.recovered', 'warning'],
  ['supervisor.', 'notice'],
  ['instance.kill', 'warning'],
  ['instance.hung', 'warning'],
  ['instance.stop', 'notice'],
  ['agent.violated', 'error'],
  ['attempt.failed', 'warning'],
  ['step.failed', 'warning'],
  ['step.interrupted', 'warning'],
  ['rollback.', 'warning'],
];

/** By the type of a record, and what it says of a decision or an end. */
export function severityOf(type: string, data: Readonly<Record<string, unknown>>): Severity {
  if (data['decision'] === 'deny') return 'warning';
  if (type === 'network.decided' && data['outcome'] === 'refused') return 'warning';
  if (type === 'run.ended') return data['status'] === 'completed' ? 'info' : 'warning';
  return PREFIXES.find(([prefix]) => type.startsWith(prefix))?.[1] ?? 'info';
}

/** A record that is signed at once: who was killed, and by whom, is what one would want to cut off. */
export function isUrgent(type: string, data: Readonly<Record<string, unknown>>): boolean {
  if (type === 'run.ended') return data['status'] === 'killed';
  return type === 'instance.kill_requested' || type.startsWith('kill.');
}
