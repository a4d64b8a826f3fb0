import type { RunEvent } from '../engine/events.ts';
import type { Permit, PermitRequest } from '../protocol/instance-link.ts';
import { isFull, ROOM_RETRY_MS, whenThereIsRoom } from './room.ts';
import type { SupervisorLink } from './supervisor-link.ts';

/**
 * The way of events into the journal. A large value goes to a file first; on a full disk its event, and all events
 * after it, wait until there is room. So an outcome is not lost and its step does not run again.
 */
export interface Journal {
  /** Takes events, in order; they are durable after `committed`. Throws what keeps a value from being written, but for a full disk. */
  append(events: readonly RunEvent[]): void;
  /** Resolves when everything appended so far is durable, or was given up. */
  committed(): Promise<void>;
  /** Resolves when at most `count` events are not durable yet. */
  atMostUnacked(count: number): Promise<void>;
  /** Asks leave for an effect, after everything appended so far. Null when `signal` aborts first, or all was given up. */
  permit(request: PermitRequest, signal: AbortSignal): Promise<Permit | null>;
  /**
   * Tries once more what waits for room. What finds none is given up with everything that follows from it: the
   * journal then takes the end of the run and nothing else. Answers what was given up, or null.
   */
  giveUp(): string | null;
}

export interface JournalOptions {
  /** Puts large values of an event into files. */
  readonly pack: (event: RunEvent) => RunEvent;
  readonly link: Pick<SupervisorLink, 'append' | 'committed' | 'atMostUnacked' | 'permit'>;
  /** Takes a line for the log of the process. */
  readonly say: (line: string) => void;
  /** A value cannot be written, and waiting does not help: the process has to end. */
  readonly failed: (error: unknown) => void;
}

export function openJournal({ pack, link, say, failed }: JournalOptions): Journal {
  let waiting: RunEvent[] = [];
  let placing: Promise<void> | null = null;
  let lost: string | null = null;
  const abort = new AbortController();

  const placeFirst = (): void => {
    const [event] = waiting;
    if (event !== undefined) link.append([pack(event)]);
    waiting.shift();
  };
  const placeAll = async (): Promise<void> => {
    while (waiting.length > 0 && (await whenThereIsRoom(placeFirst, abort.signal)));
    placing = null;
  };
  const wait = (event: RunEvent): void => {
    waiting.push(event);
    if (placing !== null) return;
    say(`${nameOfValue(event)} finds no room on the disk, trying again every ${ROOM_RETRY_MS / 1000} s\n`);
    placing = placeAll();
    placing.catch(failed);
  };
  const placed = async (): Promise<void> => {
    while (placing !== null) await placing;
  };

  return {
    append: (events) => {
      const taken = lost === null ? events : events.filter((event) => event.type === 'run.ended');
      for (const event of taken)
        if (placing !== null && lost === null) waiting.push(event);
        else
          try {
            link.append([pack(event)]);
          } catch (error) {
            if (!isFull(error)) throw error;
            wait(event);
          }
    },
    committed: async () => {
      await placed();
      await link.committed();
    },
    atMostUnacked: async (count) => {
      await placed();
      await link.atMostUnacked(count);
    },
    permit: async (request, signal) => {
      // Not a tick later where nothing waits: an intent and its permit go in one piece, and are committed together.
      if (placing !== null) await placed();
      return lost === null ? link.permit(request, signal) : null;
    },
    giveUp: () => {
      try {
        while (waiting.length > 0) placeFirst();
      } catch (error) {
        if (!isFull(error)) throw error;
        lost = waiting[0] === undefined ? null : nameOfValue(waiting[0]);
        waiting = [];
        abort.abort();
      }
      return lost;
    },
  };
}

function nameOfValue(event: RunEvent): string {
  const what = event.type === 'step.started' ? 'inputs' : 'result';
  return 'path' in event ? `the ${what} of step ${event.path}` : event.type;
}
