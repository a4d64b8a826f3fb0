import type { ScheduleTrigger, Workflow } from '../definition/workflow.ts';
import { parseCron } from './cron-fields.ts';
import { type Fire, firesAfter } from './fires.ts';
import { offsetIn } from './zone.ts';

/** A fire, and which of the workflow's schedules it belongs to. */
export interface PlannedFire extends Fire {
  readonly trigger: ScheduleTrigger;
}

/**
 * The fires of all schedules of a workflow after an instant, in order. An instant counts once, whichever schedules
 * name it: the first of them has it.
 */
export async function planFires(
  workflow: Pick<Workflow, 'triggers'>,
  after: number,
): Promise<Generator<PlannedFire, undefined>> {
  const triggers = workflow.triggers.filter((trigger) => trigger.type === 'schedule');
  const each = await Promise.all(triggers.map((trigger) => firesOf(trigger, after)));
  return merged(each);
}

async function firesOf(trigger: ScheduleTrigger, after: number): Promise<Generator<PlannedFire, undefined>> {
  const { cron, timezone, startAt, endAt } = trigger;
  const begin = startAt === null ? after : Math.max(after, startAt - 1);
  const fires = firesAfter(await parseCron(cron), offsetIn(timezone), trigger, begin);
  return bounded(fires, endAt, trigger);
}

function* bounded(
  fires: Generator<Fire, undefined>,
  endAt: number | null,
  trigger: ScheduleTrigger,
): Generator<PlannedFire, undefined> {
  for (const fire of fires) {
    if (endAt !== null && fire.at > endAt) return;
    yield { ...fire, trigger };
  }
}

function* merged(sources: readonly Generator<PlannedFire, undefined>[]): Generator<PlannedFire, undefined> {
  const heads = sources.map((source) => ({ source, next: source.next() }));
  let last = Number.NEGATIVE_INFINITY;
  for (;;) {
    let first: (typeof heads)[number] | null = null;
    for (const head of heads) {
      if (head.next.done === true) continue;
      if (first === null || first.next.done === true || head.next.value.at < first.next.value.at)
        first = head;
    }
    if (first === null || first.next.done === true) return;
    const fire = first.next.value;
    first.next = first.source.next();
    if (fire.at === last) continue;
    last = fire.at;
    yield fire;
  }
}
