import { Worker } from 'node:worker_threads';
import { isErrorCode } from '../errors/table.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { programFile } from '../protocol/install.ts';
import type { Answer, Arguments, OperationName, ReadOperations } from './operations.ts';
import type { Reply } from './writer.ts';
import type { FromThread, ThreadMessage, WriterThreadData } from './writer-thread.ts';

/** The database as the rest of the supervisor sees it. Safe to call from anywhere in the main thread. */
export interface Store {
  /**
   * Carries out one operation in the writer thread. Resolves after the commit is durable; rejects with a
   * WorkflowError (STORE_FULL may be tried again, nothing of the operation was kept).
   */
  call<K extends OperationName>(name: K, args: Arguments<K>): Promise<Answer<K>>;
  /**
   * The same read for each of many arguments, sent as one message: waking the thread costs more than most of them.
   * Each is answered, and fails, by itself.
   */
  readEach<K extends keyof ReadOperations>(name: K, many: readonly Arguments<K>[]): Promise<Answer<K>>[];
  /** The number of the last audit record that is durable, as of the last answer. */
  readonly auditSeq: number;
  /**
   * Calls back when `auditSeq` has grown, before the answers of that commit are given; `isUrgent` when its end is to
   * be signed at once. Answers how to end it.
   */
  onAppended(listener: (isUrgent: boolean) => void): () => void;
  /** Has the thread give back memory that it can do without. */
  giveBack(): void;
  /** Operations sent and not answered yet. */
  readonly pending: number;
  /** Finishes what was sent, then closes the database. */
  close(): Promise<void>;
}

interface Waiter {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Opens the store of a database file; `boot` goes into audit records. Rejects with STORE_CORRUPT and the like. */
export async function openStore(file: string, boot: string): Promise<Store> {
  const workerData: WriterThreadData = { file, boot };
  const worker = new Worker(programFile('store/writer-thread'), { workerData });
  const waiters = new Map<number, Waiter>();
  let lastId = 0;
  let hasEnded: WorkflowError | null = null;
  let auditSeq = 0;
  const listeners = new Set<(isUrgent: boolean) => void>();

  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const failAll = (error: WorkflowError): void => {
    hasEnded ??= error;
    for (const waiter of waiters.values()) waiter.reject(error);
    waiters.clear();
  };
  await new Promise<void>((resolve, reject) => {
    worker.on('message', (message: FromThread) => {
      if (message.type === 'ready') {
        auditSeq = message.audit.seq;
        resolve();
      } else if (message.type === 'failed') {
        reject(WorkflowError.fromRecord(message.error));
        worker.postMessage({ type: 'close' } satisfies ThreadMessage);
      } else {
        const { seq, isUrgent } = message.audit;
        const hasGrown = seq > auditSeq;
        auditSeq = seq;
        if (hasGrown) for (const listener of listeners) listener(isUrgent);
        for (const reply of message.replies) settle(waiters, reply);
      }
    });
    worker.on('error', (error) => {
      const failure = new WorkflowError('INTERNAL', `the writer thread failed: ${error}`, { cause: error });
      reject(failure);
      failAll(failure);
    });
    worker.on('exit', () => failAll(new WorkflowError('SHUTTING_DOWN', 'the database is closed')));
  });

  const send = <K extends OperationName>(name: K, many: readonly Arguments<K>[]): Promise<Answer<K>>[] => {
    const ended = hasEnded;
    if (ended !== null) return many.map(() => Promise.reject(ended));
    const requests = many.map((args) => {
      lastId += 1;
      return { id: lastId, name, args };
    });
    // First the message: what cannot be copied leaves nobody waiting.
    worker.postMessage({ type: 'requests', requests } satisfies ThreadMessage);
    return requests.map(
      ({ id }) =>
        new Promise((resolve, reject) => {
          // The answer's type is tied to the name by Operations; the thread answers each name with its own type.
          waiters.set(id, { resolve: (answer) => resolve(answer as Answer<K>), reject });
        }),
    );
  };

  return {
    call: async (name, args) => {
      const [answer] = send(name, [args]);
      if (answer === undefined) throw new WorkflowError('INTERNAL', `${name} was not sent`);
      return answer;
    },
    readEach: send,
    get auditSeq() {
      return auditSeq;
    },
    onAppended: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    giveBack: () => {
      if (hasEnded === null) worker.postMessage({ type: 'give_back' } satisfies ThreadMessage);
    },
    get pending() {
      return waiters.size;
    },
    close: async () => {
      worker.postMessage({ type: 'close' } satisfies ThreadMessage);
      await ended;
    },
  };
}

function settle(waiters: Map<number, Waiter>, reply: Reply): void {
  const waiter = waiters.get(reply.id);
  if (waiter === undefined) return;
  waiters.delete(reply.id);
  if ('error' in reply) {
    const { code, message } = reply.error;
    waiter.reject(new WorkflowError(isErrorCode(code) ? code : 'INTERNAL', message));
  } else waiter.resolve(reply.answer);
}
