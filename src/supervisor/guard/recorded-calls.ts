import type { JournalEntry } from '../../engine/events.ts';
import { argumentsOf, isIntentOf } from '../../guard/intents.ts';
import type { RecordedCall } from '../../protocol/guard-documents.ts';
import type { PermitRequest } from '../../protocol/instance-link.ts';
import { readJournal } from '../../store/read-journal.ts';
import type { InstanceRow } from '../../store/tables/instance-rows.ts';
import type { SupervisorContext } from '../context.ts';
import type { ControlHandlers } from '../control-server.ts';

/** Decisions of one answer: their arguments may be large. */
const MAX_PAGE = 100;

/** Past decisions with what they were about: the audit log has a hash of it, the journals have the text. */
export function recordedCalls({ store }: SupervisorContext): Pick<ControlHandlers, 'audit.calls'> {
  const documentOf = async (
    body: string,
    seq: number,
    known: Map<string, { readonly row: InstanceRow; readonly journal: readonly JournalEntry[] } | null>,
  ): Promise<RecordedCall[]> => {
    const { at, instance, data } = JSON.parse(body) as { at: number; instance: string | null; data: Decided };
    // Asked again after a person had decided: the first answer, to wait, is what the policies said.
    if (instance === null || (data.approval !== undefined && data.decision !== 'wait')) return [];
    if (!known.has(instance)) {
      const row = await store.call('instance.get', { id: instance });
      const journal = await readJournal(store, instance);
      known.set(instance, row === null ? null : { row, journal });
    }
    const run = known.get(instance);
    if (run == null) return [];
    const { kind, path, attempt, iteration = 0, call = null, tool = null } = data;
    const request = { kind, path, attempt, agent: { iteration, call, tool } };
    const intent = run.journal.findLast(({ event }) => isIntentOf(event, request));
    return [
      {
        seq,
        at: new Date(at).toISOString(),
        instance,
        workflow: run.row.workflow,
        workspace: run.row.workspace,
        step: path,
        agent: kind === 'tool' || kind === 'model' || kind === 'hook' ? data.subject : null,
        kind,
        tool: tool ?? data.subject,
        args: intent === undefined ? null : argumentsOf(intent.event),
        decision: data.decision === 'wait' ? 'ask' : data.decision,
        rules: data.rules,
        reason: data.reason ?? null,
      },
    ];
  };

  return {
    'audit.calls': async ({ since, from, limit }) => {
      const page = await store.call('audit.read', {
        order: 'oldest',
        from,
        limit: Math.min(MAX_PAGE, limit),
        since,
        until: null,
        type: 'permit.decided',
        instance: null,
      });
      const known = new Map<string, null>();
      const calls: RecordedCall[] = [];
      for (const { body, seq } of page.rows) calls.push(...(await documentOf(body, seq, known)));
      return { calls, next: page.next };
    },
  };
}

/** Data of `permit.decided`. */
interface Decided {
  readonly kind: PermitRequest['kind'];
  readonly path: string;
  readonly attempt: number;
  readonly subject: string;
  readonly iteration?: number;
  readonly call?: string | null;
  readonly tool?: string | null;
  readonly decision: 'allow' | 'deny' | 'wait';
  readonly rules: readonly string[];
  readonly reason?: string;
  readonly approval?: number;
}
