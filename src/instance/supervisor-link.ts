import { createConnection, type Socket } from 'node:net';
import type { IoBytes } from '../../sandbox/isolation.ts';
import type { JournalEntry, RunEvent, StopKind } from '../engine/events.ts';
import { failpoint } from '../protocol/failpoint.ts';
import type {
  Bootstrap,
  InstanceMessage,
  NetworkReport,
  Permit,
  PermitRequest,
  SupervisorMessage,
} from '../protocol/instance-link.ts';
import { type JsonLines, openJsonLines } from '../protocol/json-lines.ts';
import { fileMark, retryAt } from './retry.ts';

type Trip = Extract<SupervisorMessage, { type: 'tripped' }>;

export interface LinkHandlers {
  stop(kind: StopKind, by: string): void;
  /** An approval is decided. */
  released(approval: number): void;
  /** A kill switch covers some of this run. Resolves when that has ended. */
  tripped(trip: Trip): Promise<void>;
  /** Another process has taken this instance over, or the supervisor refuses us: end at once. */
  fenced(reason: string): void;
  /** No supervisor for the whole orphan timeout. */
  orphaned(): void;
}

/** The way to the supervisor. Survives its absence: events are kept and sent again until they are acknowledged. */
export interface SupervisorLink {
  /** Takes events into the journal, in order; they are durable after `committed`. */
  append(events: readonly RunEvent[]): void;
  /** Resolves when everything appended so far is durable. */
  committed(): Promise<void>;
  /** Resolves when at most `count` events are not durable yet: keeps memory and replay bounded. */
  atMostUnacked(count: number): Promise<void>;
  /**
   * Asks leave for an effect; the answer comes after the commit of everything appended so far. Null when `signal`
   * aborts first: without a supervisor the answer may never come.
   */
  permit(request: PermitRequest, signal: AbortSignal): Promise<Permit | null>;
  /**
   * Has something recorded in the audit; true after its commit. Kept and told again while there is no supervisor; a
   * decision no longer than a client of the proxy would wait for it.
   */
  network(report: NetworkReport): Promise<boolean>;
  progress(path: string, line: string): void;
  /** What the tree moved to and from disks, at the end of the process. */
  io(bytes: IoBytes): void;
  close(): void;
}

/**
 * Events in one message. An event is short (large values are in files), but after an absence of the supervisor there
 * may be thousands, and a message has a longest length.
 */
const MAX_BATCH = 64;
/** How long a way out waits for the record of its decision. */
const RECORD_WAIT_MS = 10_000;
const RECONNECT_MIN_MS = 25;
const RECONNECT_MAX_MS = 500;

export function openLink(
  bootstrap: Pick<
    Bootstrap,
    'instance' | 'incarnation' | 'token' | 'socket' | 'journal' | 'orphanTimeoutMs'
  > & { readonly beatMs: number },
  handlers: LinkHandlers,
): SupervisorLink {
  let seq = bootstrap.journal.at(-1)?.seq ?? 0;
  let ackedSeq = seq;
  let sentSeq = seq;
  let unacked: JournalEntry[] = [];
  let lines: JsonLines | null = null;
  let isWelcome = false;
  let isClosed = false;
  let isFlushPlanned = false;
  let retryMs = RECONNECT_MIN_MS;
  let orphanTimer: NodeJS.Timeout | null = null;
  let lastPermit = 0;
  const permits = new Map<
    number,
    { message: Extract<InstanceMessage, { type: 'permit' }>; resolve: (permit: Permit | null) => void }
  >();
  const reports = new Map<
    number,
    { message: Extract<InstanceMessage, { type: 'network' }>; resolve: (isRecorded: boolean) => void }
  >();
  let lastReport = 0;
  const waiters: { upTo: number; resolve: () => void }[] = [];
  /** Permits that go with the next flush. */
  let asked: InstanceMessage[] = [];

  const send = (...messages: InstanceMessage[]): void => lines?.send(...messages);

  /** The events that are to be sent now; they count as sent. */
  const takeFresh = (): InstanceMessage[] => {
    const fresh = unacked.filter((entry) => entry.seq > sentSeq);
    sentSeq = fresh.at(-1)?.seq ?? sentSeq;
    const batches = Array.from({ length: Math.ceil(fresh.length / MAX_BATCH) }, (_, index) =>
      fresh.slice(index * MAX_BATCH, (index + 1) * MAX_BATCH),
    );
    return batches.map((entries) => ({ type: 'events', entries }));
  };

  /** All of one tick goes in one piece: intents are committed together with their permits. */
  const flush = (): void => {
    isFlushPlanned = false;
    if (!isWelcome) return;
    const messages = [...takeFresh(), ...asked];
    asked = [];
    if (messages.length > 0) send(...messages);
  };
  const planFlush = (): void => {
    if (isFlushPlanned) return;
    isFlushPlanned = true;
    queueMicrotask(flush);
  };

  const acknowledge = (upTo: number): void => {
    if (upTo <= ackedSeq) return;
    for (let acked = ackedSeq; acked < upTo; acked += 1) failpoint('instance.acked');
    ackedSeq = upTo;
    unacked = unacked.filter((entry) => entry.seq > upTo);
    for (let index = waiters.length - 1; index >= 0; index -= 1) {
      const waiter = waiters[index];
      if (waiter === undefined || waiter.upTo > ackedSeq) continue;
      waiters.splice(index, 1);
      waiter.resolve();
    }
  };

  const receive = (message: SupervisorMessage): void => {
    switch (message.type) {
      case 'welcome':
        isWelcome = true;
        retryMs = RECONNECT_MIN_MS;
        if (orphanTimer !== null) clearTimeout(orphanTimer);
        orphanTimer = null;
        acknowledge(message.ackedSeq);
        // What was sent over a broken connection may be lost: all that is not durable goes again, once each by number.
        sentSeq = ackedSeq;
        asked = [...permits.values()].map((waiting) => waiting.message);
        flush();
        for (const { message: told } of reports.values()) send(told);
        return;
      case 'ack':
        acknowledge(message.seq);
        return;
      case 'permit': {
        const waiting = permits.get(message.id);
        permits.delete(message.id);
        waiting?.resolve(message.permit);
        return;
      }
      case 'network':
        reports.get(message.id)?.resolve(message.isRecorded);
        return;
      case 'released':
        handlers.released(message.approval);
        return;
      case 'stop':
        handlers.stop(message.kind, message.by);
        return;
      case 'tripped':
        void handlers.tripped(message).then(() => send({ type: 'switched_off', scope: message.scope }));
        return;
      case 'fenced':
        isClosed = true;
        handlers.fenced(message.reason);
        return;
      case 'refused':
        handlers.fenced(message.error.message);
        return;
    }
  };

  const connect = (): void => {
    if (isClosed) return;
    orphanTimer ??= setTimeout(() => handlers.orphaned(), bootstrap.orphanTimeoutMs);
    const mark = fileMark(bootstrap.socket);
    const socket: Socket = createConnection(bootstrap.socket);
    const opened = openJsonLines(socket, {
      // Only our supervisor listens there: its folder is private.
      message: (raw) => receive(raw as SupervisorMessage),
      closed: () => {
        if (lines !== opened && lines !== null) return;
        lines = null;
        isWelcome = false;
        if (isClosed) return;
        retryAt(bootstrap.socket, mark, retryMs, connect);
        retryMs = Math.min(RECONNECT_MAX_MS, retryMs * 2);
      },
    });
    lines = opened;
    socket.once('connect', () =>
      send({
        type: 'hello',
        instance: bootstrap.instance,
        incarnation: bootstrap.incarnation,
        token: bootstrap.token,
        pid: process.pid,
        ackedSeq,
        beatMs: bootstrap.beatMs,
      }),
    );
  };
  connect();
  const beat = setInterval(() => {
    if (isWelcome) send({ type: 'beat' });
  }, bootstrap.beatMs).unref();

  const until = (upTo: number): Promise<void> =>
    upTo <= ackedSeq ? Promise.resolve() : new Promise((resolve) => waiters.push({ upTo, resolve }));

  return {
    append: (events) => {
      const at = Date.now();
      for (const event of events) {
        seq += 1;
        unacked.push({ seq, at, event });
        failpoint('instance.append');
      }
      if (events.length > 0) planFlush();
    },
    committed: () => until(seq),
    atMostUnacked: (count) => until(seq - count),
    permit: (request, signal) => {
      if (signal.aborted) return Promise.resolve(null);
      lastPermit += 1;
      const message = { type: 'permit', id: lastPermit, afterSeq: seq, request } as const;
      return new Promise((resolve) => {
        const giveUp = (): void => {
          permits.delete(message.id);
          resolve(null);
        };
        signal.addEventListener('abort', giveUp, { once: true });
        permits.set(message.id, {
          message,
          resolve: (permit) => {
            signal.removeEventListener('abort', giveUp);
            resolve(permit);
          },
        });
        // Without a connection it goes with the welcome.
        if (!isWelcome) return;
        asked.push(message);
        planFlush();
      });
    },
    network: (report) => {
      lastReport += 1;
      const message = { type: 'network', id: lastReport, report } as const;
      return new Promise((resolve) => {
        const settle = (isRecorded: boolean): void => {
          clearTimeout(timer);
          reports.delete(message.id);
          resolve(isRecorded);
        };
        const timer =
          report.event.type === 'decided' ? setTimeout(() => settle(false), RECORD_WAIT_MS) : undefined;
        reports.set(message.id, { message, resolve: settle });
        if (isWelcome) send(message);
      });
    },
    progress: (path, line) => {
      if (isWelcome) send({ type: 'progress', path, line });
    },
    io: (bytes) => {
      if (isWelcome) send({ type: 'io', bytes });
    },
    close: () => {
      isClosed = true;
      clearInterval(beat);
      if (orphanTimer !== null) clearTimeout(orphanTimer);
      lines?.end();
    },
  };
}
