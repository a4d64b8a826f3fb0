/**
 * Places where a test may end this process as a crash would: `Q_WORKFLOW_FAILPOINT=name:count` kills it with SIGKILL
 * the count-th time it passes the place `name`. Without the variable a pass costs one comparison. Of the processes of
 * an instance the first has it, or the one that `name:count@incarnation` says.
 */
export type Failpoint =
  | 'instance.append'
  | 'instance.acked'
  | 'instance.effect_done'
  | 'supervisor.created'
  | 'supervisor.requeued'
  | 'supervisor.paused'
  | 'supervisor.unpaused'
  | 'supervisor.launch_committed'
  | 'supervisor.spawned'
  | 'supervisor.before_commit'
  | 'supervisor.after_commit'
  | 'supervisor.before_exit_record'
  | 'supervisor.after_exit_record'
  | 'supervisor.adopting'
  | 'supervisor.latched'
  | 'supervisor.rearmed'
  | 'supervisor.checkpoint_committed'
  | 'supervisor.anchored'
  | 'supervisor.spool_taken'
  | 'supervisor.spool_rejected'
  | 'supervisor.spool_chained'
  | 'backup.written'
  | 'backup.placed'
  | 'backup.recorded'
  | 'restore.copied'
  | 'restore.aside'
  | 'restore.placed'
  | 'archive.packed'
  | 'archive.placed'
  | 'archive.committed'
  | 'archive.removing'
  | 'archive.unpacked'
  | 'archive.put_back';

export const FAILPOINT_VARIABLE = 'Q_WORKFLOW_FAILPOINT';

const [wanted, count] = (process.env[FAILPOINT_VARIABLE] ?? '').split(':');
let left = Number.parseInt(count ?? '0', 10);

export function failpoint(name: Failpoint): void {
  if (name !== wanted) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
}
