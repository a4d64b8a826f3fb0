import type { AuditActor, AuditEntry } from '../../audit/record.ts';
import { ensureWorkflowError } from '../../errors/workflow-error.ts';
import type { NetworkReport } from '../../protocol/instance-link.ts';
import type { SupervisorContext } from '../context.ts';
import type { LiveInstance } from '../lifecycle/live-instance.ts';
import { RETRY_MS, STORE_TROUBLE } from './journal-intake.ts';

/** What the proxies of one incarnation tell, on its way into the audit. */
export interface NetworkIntake {
  /** Answered after the commit. What cannot be recorded now is answered so at once: the proxy refuses it then. */
  take(id: number, report: NetworkReport): void;
  /** Resolves when all that was taken in is recorded or given up. */
  drained(): Promise<void>;
}

export function openNetworkIntake(context: SupervisorContext, live: LiveInstance): NetworkIntake {
  const actor: AuditActor = { kind: 'instance', id: `${live.row.id}#${live.incarnation}`, uid: null };
  const open = new Set<Promise<void>>();

  const record = async (id: number, report: NetworkReport): Promise<void> => {
    const entries = [networkRecord(report, live, actor, context.now())];
    for (;;) {
      try {
        await context.store.call('audit.append', { entries });
        live.link?.send({ type: 'network', id, isRecorded: true });
        return;
      } catch (error) {
        const known = ensureWorkflowError(error);
        // The instance tells it again to the next supervisor.
        if (known.code === 'SHUTTING_DOWN') return;
        const mayPass = known.isRetryable || STORE_TROUBLE.includes(known.code);
        // A way out is refused at once. An end has happened, and waits for its record like the journal does.
        const isOver = report.event.type === 'decided' || !mayPass;
        context.log.error(
          `cannot record what a step did in the network${isOver ? '' : `, trying again in ${RETRY_MS / 1000} s`}`,
          { instance: live.row.id, cause: known.message },
        );
        if (isOver) {
          live.link?.send({ type: 'network', id, isRecorded: false });
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  };

  return {
    take: (id, report) => {
      const work = record(id, report);
      open.add(work);
      void work.finally(() => open.delete(work));
    },
    drained: async () => {
      await Promise.all(open);
    },
  };
}

function networkRecord(
  { path, attempt, tool, event }: NetworkReport,
  live: LiveInstance,
  actor: AuditActor,
  at: number,
): AuditEntry {
  const common = { at, actor, instance: live.row.id };
  const from = { path, attempt, tool };
  if (event.type === 'decided') {
    const { type: _, ...data } = event;
    return { ...common, type: 'network.decided', data: { ...from, ...data } };
  }
  const { connection, address, bytesOut, bytesIn, reason } = event;
  const data = { ...from, connection, address, bytes_out: bytesOut, bytes_in: bytesIn, reason };
  return { ...common, type: 'network.ended', data };
}
