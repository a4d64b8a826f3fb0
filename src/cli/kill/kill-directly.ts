import { ensureError } from '../../errors/workflow-error.ts';
import { isPart, mayHold } from '../../guard/kill/kill-scope.ts';
import type { Latch } from '../../guard/kill/latch-files.ts';
import { type About, readAbout } from '../../protocol/about.ts';
import type { HaltedInstance, KillDocument } from '../../protocol/guard-documents.ts';
import { type Home, instanceFolder } from '../../protocol/home.ts';
import { namesIn } from '../../protocol/names-in.ts';

/**
 * Ends what a switch covers without a supervisor: dead, hung, or its database locked. What every instance is and where
 * its processes are was written beside it when it started. Of a scope that covers parts of runs only (agent, tool,
 * step) whole runs are ended that may hold some: nobody here can tell the parts apart, and a resume meets the latch.
 */
export async function killDirectly(home: Home, latch: Latch): Promise<KillDocument> {
  const startedAt = performance.now();
  const covered = abouts(home).filter(({ id, about }) => mayHold(latch.scope, { id, ...about }));
  const ended = await Promise.all(covered.map(({ id, about }) => end(id, about, latch)));
  const instances = ended.filter((each) => each !== null);
  return {
    scope: latch.scope,
    mode: latch.mode,
    reason: latch.reason,
    by: latch.by,
    tripped_at: new Date(latch.at).toISOString(),
    is_new: true,
    carried_out_by: 'command',
    instances,
    escalated: isPart(latch.scope) ? instances.map(({ id }) => id) : [],
    survivors: instances.reduce((sum, each) => sum + each.survivors.length, 0),
    ms: Math.round(performance.now() - startedAt),
  };
}

/** Instances with processes under whole-run scopes; of a part of a run nobody can tell from outside. */
export async function stillRunning(
  home: Home,
  scopes: readonly string[],
): Promise<{ readonly id: string; readonly scope: string; readonly processes: number }[]> {
  const { reopenScope } = await import('../../../sandbox/reopen.ts');
  const whole = scopes.filter((scope) => !isPart(scope));
  return abouts(home).flatMap(({ id, about }) => {
    const scope = whole.find((each) => mayHold(each, { id, ...about }));
    const opened = scope === undefined ? null : reopenScope(about.scope);
    const processes = opened?.pids().length ?? 0;
    opened?.close();
    return scope === undefined || processes === 0 ? [] : [{ id, scope, processes }];
  });
}

function abouts(home: Home): { readonly id: string; readonly about: About }[] {
  return namesIn(home.instancesFolder).flatMap((id) => {
    const about = readAbout(instanceFolder(home, id));
    return about === null ? [] : [{ id, about }];
  });
}

/** Null when nothing of it runs. */
async function end(
  id: string,
  { workflow, scope: record }: About,
  { mode }: Latch,
): Promise<HaltedInstance | null> {
  const { reopenScope } = await import('../../../sandbox/reopen.ts');
  try {
    const scope = reopenScope(record);
    if (scope === null || scope.pids().length === 0) return null;
    if (mode === 'quarantine') await scope.freeze();
    const report = await scope.kill({ graceMs: 0, timeoutMs: 10_000 });
    scope.close();
    return {
      id,
      workflow,
      had_process: true,
      found: report.foundCount,
      killed: report.killedCount,
      survivors: report.survivors,
      ms: Math.round(report.durationMs),
    };
  } catch (error) {
    const failure = ensureError(error).message;
    return { id, workflow, had_process: true, found: 0, killed: 0, survivors: [], ms: 0, failure };
  }
}
