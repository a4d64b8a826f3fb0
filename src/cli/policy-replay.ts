import type { Client } from '../client/client.ts';
import { hookEvent } from '../guard/hook-names.ts';
import type { ExplainDocument } from '../guard/policy/explain.ts';
import type { Caller } from '../protocol/caller.ts';
import type { RecordedCall } from '../protocol/guard-documents.ts';
import { exact } from './run/approvals.ts';
import { plural, printable, styleFor } from './text/style.ts';

/** A recorded call about which the policies would say something else. */
export interface ChangedCall extends RecordedCall {
  readonly now: Pick<ExplainDocument, 'decision' | 'rules' | 'reason'>;
}

export interface ReplayDocument {
  /** Decisions that were asked again. */
  readonly replayed: number;
  readonly changed: readonly ChangedCall[];
  /** Not asked again: decided by a kill switch or a limit, by an agent file or the guardrails of a step, or without arguments. */
  readonly skipped: number;
}

const PAGE = 100;

/**
 * Asks the policies that hold in each run's workspace, or those that are named, about every call that was decided since
 * then. Nothing is run. Rates and limits count nothing here.
 */
export async function replayCalls(
  client: Client,
  since: number,
  { policies, environment }: { readonly policies: readonly string[]; readonly environment: string | null },
  caller: Caller,
): Promise<ReplayDocument> {
  const { explain, loadNamedPolicies, loadPolicySet } = await import('../guard/policy/api.ts');
  const sets = new Map<string, ReturnType<typeof loadPolicySet>>();
  const setOf = (workspace: string): ReturnType<typeof loadPolicySet> => {
    const places = { workspace, configHome: caller.configHome, environment };
    const set =
      sets.get(workspace) ??
      (policies.length > 0 ? loadNamedPolicies(policies, places) : loadPolicySet(places));
    sets.set(workspace, set);
    return set;
  };
  const changed: ChangedCall[] = [];
  let [replayed, skipped] = [0, 0];
  for (let from: number | null = 0; from !== null; ) {
    const page: { calls: readonly RecordedCall[]; next: number | null } = await client.call('audit.calls', {
      since,
      from,
      limit: PAGE,
    });
    for (const call of page.calls) {
      const { args, workspace, workflow, step, agent, tool } = call;
      if (args === null || isByOthers(call)) {
        skipped += 1;
        continue;
      }
      const { set } = await setOf(workspace);
      const kind = call.kind === 'session' || call.kind === 'approval' ? 'spawn' : call.kind;
      const text = {
        kind,
        tool: kind === 'hook' ? hookEvent(tool) : tool,
        args,
        cwd: null,
        workflow,
        agent,
        step,
        environment: null,
      } as const;
      const { decision, rules, reason } = explain(set, text, {
        workspace,
        home: caller.userHome,
        environment,
      });
      replayed += 1;
      if (decision !== call.decision) changed.push({ ...call, now: { decision, rules, reason } });
    }
    from = page.next;
  }
  return { replayed, changed, skipped };
}

/** Decided by something that policy files do not say. */
function isByOthers({ kind, decision, rules, reason }: RecordedCall): boolean {
  if (kind === 'approval') return true;
  if (decision !== 'deny') return false;
  if (rules.some((rule) => /^(agent|step)\//.test(rule))) return true;
  return /^the (kill switch|limit)|nobody can be asked$|^(agent|step) /.test(reason ?? '');
}

export function replayText({ replayed, changed, skipped }: ReplayDocument): string {
  const style = styleFor(process.stdout);
  const colour = { allow: style.green, ask: style.yellow, deny: style.red };
  const lines = changed.flatMap(({ seq, instance, step, tool, args, decision, now }) => [
    `${colour[decision](decision)} → ${colour[now.decision](now.decision)}  ${printable(tool)} ${exact(args ?? {}).slice(0, 300)}`,
    style.dim(`  record ${seq}, ${instance} ${printable(step)}: ${printable(now.reason)}`),
  ]);
  const not = skipped === 0 ? '' : `; ${skipped} not asked again`;
  return [...lines, `${changed.length} of ${plural(replayed, 'recorded call')} would change${not}`].join(
    '\n',
  );
}
