import type { PostOutcome } from '../watching/http-post.ts';
import type { Deliver } from './deliver.ts';
import type { Notification } from './notification.ts';
import type { Delivery } from './outbox-file.ts';
import { type Target, wants } from './targets.ts';

/** Deliveries on their way: one at a time for each target, so that one that hangs holds up no other. */
export interface Outbox {
  /** Takes in what the targets want of it. */
  add(notifications: readonly Notification[]): void;
  /** Other targets from now on; what waits for one that is gone is let go. */
  setTargets(targets: readonly Target[]): void;
  readonly pending: readonly Delivery[];
  /** Calls off what is under way; it stays pending. Resolves when nothing is under way. */
  close(): Promise<void>;
}

export interface OutboxHandlers {
  readonly deliver: Deliver;
  readonly changed: () => void;
  readonly delivered: (delivery: Delivery) => void;
  /** It was tried for the last time. */
  readonly failed: (delivery: Delivery, why: string) => void;
  readonly dropped: (deliveries: readonly Delivery[]) => void;
  /** Wall clock, UTC ms. */
  readonly now: () => number;
  readonly random: () => number;
}

/** Waits between the attempts, ms: six of them within a quarter of an hour. */
export const RETRY_DELAYS_MS: readonly number[] = [2000, 8000, 32_000, 128_000, 512_000];
export const MAX_PENDING = 500;
/** A delay is so much longer or shorter, so that many do not come back at once. */
const JITTER = 0.25;
/** One that is due later than this waits for a clock that was set back since. */
const LONGEST_DELAY_MS = Math.max(...RETRY_DELAYS_MS) * (1 + JITTER);

export function createOutbox(kept: readonly Delivery[], handlers: OutboxHandlers): Outbox {
  const closing = new AbortController();
  const underWay = new Map<string, Promise<void>>();
  let pending = [...kept];
  let targets: readonly Target[] = [];
  let timer: NodeJS.Timeout | null = null;

  const remove = (delivery: Delivery): void => {
    pending = pending.filter((each) => each !== delivery);
  };

  const settle = (delivery: Delivery, outcome: PostOutcome): void => {
    // Its target was taken away meanwhile.
    if (closing.signal.aborted || !pending.includes(delivery)) return;
    if (outcome.kind === 'done') {
      remove(delivery);
      handlers.delivered(delivery);
    } else {
      const attempts = delivery.attempts + 1;
      const delay = RETRY_DELAYS_MS[delivery.attempts];
      if (outcome.isFinal || delay === undefined) {
        remove(delivery);
        handlers.failed({ ...delivery, attempts }, outcome.why);
      } else {
        const factor = 1 + JITTER * (2 * handlers.random() - 1);
        const again = { ...delivery, attempts, dueAt: handlers.now() + Math.round(delay * factor) };
        pending = pending.map((each) => (each === delivery ? again : each));
      }
    }
    handlers.changed();
  };

  const isDue = ({ dueAt }: Delivery, now: number): boolean => dueAt <= now || dueAt > now + LONGEST_DELAY_MS;

  const look = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (closing.signal.aborted) return;
    const now = handlers.now();
    for (const target of targets) {
      if (underWay.has(target.name)) continue;
      const due = pending.find((each) => each.target === target.name && isDue(each, now));
      if (due === undefined) continue;
      const sent = handlers
        .deliver(target, due.notification, closing.signal)
        .then((outcome) => settle(due, outcome))
        .finally(() => {
          underWay.delete(target.name);
          look();
        });
      underWay.set(target.name, sent);
    }
    const waiting = pending.filter(({ target }) => !underWay.has(target)).map(({ dueAt }) => dueAt);
    if (waiting.length === 0) return;
    timer = setTimeout(look, Math.max(1, Math.min(...waiting) - now));
    timer.unref();
  };

  return {
    add: (notifications) => {
      const wanted = notifications.flatMap((notification) =>
        targets
          .filter((target) => wants(target, notification))
          .map(({ name }): Delivery => ({ target: name, notification, attempts: 0, dueAt: handlers.now() })),
      );
      const room = Math.max(0, MAX_PENDING - pending.length);
      pending.push(...wanted.slice(0, room));
      if (wanted.length > room) handlers.dropped(wanted.slice(room));
      look();
    },
    setTargets: (given) => {
      targets = given;
      const names = new Set(given.map(({ name }) => name));
      pending = pending.filter(({ target }) => names.has(target));
      look();
    },
    get pending() {
      return pending;
    },
    close: async () => {
      closing.abort();
      if (timer !== null) clearTimeout(timer);
      await Promise.all(underWay.values());
    },
  };
}
