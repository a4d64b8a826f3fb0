import { Worker } from 'node:worker_threads';
import { isErrorCode } from '../errors/table.ts';
import { type ErrorRecord, WorkflowError } from '../errors/workflow-error.ts';
import { programFile } from '../protocol/install.ts';
import type { Answer, Arguments, OperationName } from './operations.ts';
import type { Reply } from './writer.ts';
import type { ThreadMessage, WriterThreadData } from './writer-thread.ts';

/** The database as the rest of the supervisor sees it. Safe to call from anywhere in the main thread. */
export interface Store {
  /**
   * Carries out one operation in the writer thread. Resolves after the commit is durable; rejects with a
   * WorkflowError (STORE_FULL may be tried again, nothing of the operation was kept).
   */
  call<K extends OperationName>(name: K, args: Arguments<K>): Promise<Answer<K>>;
  /** Operations sent and not answered yet. */
  readonly pending: number;
  /** Finishes what was sent, then closes the database. */
  close(): Promise<void>;
}

interface Waiter {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

type FromThread =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly error: ErrorRecord }
  | { readonly type: 'replies'; readonly replies: readonly Reply[] };

/** Opens the store of a database file; `boot` goes into audit records. Rejects with STORE_CORRUPT and the like. */
export async function openStore(file: string, boot: string): Promise<Store> {
  const workerData: WriterThreadData = { file, boot };
  const worker = new Worker(programFile('store/writer-thread'), { workerData });
  const waiters = new Map<number, Waiter>();
  let lastId = 0;
  let hasEnded: WorkflowError | null = null;

  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const failAll = (error: WorkflowError): void => {
    hasEnded ??= error;
    for (const waiter of waiters.values()) waiter.reject(error);
    waiters.clear();
  };
  await new Promise<void>((resolve, reject) => {
    worker.on('message', (message: FromThread) => {
      if (message.type === 'ready') resolve();
      else if (message.type === 'failed') {
        reject(WorkflowError.fromRecord(message.error));
        worker.postMessage({ type: 'close' } satisfies ThreadMessage);
      } else for (const reply of message.replies) settle(waiters, reply);
    });
    worker.on('error', (error) => {
      const failure = new WorkflowError('INTERNAL', `the writer thread failed: ${error}`, { cause: error });
      reject(failure);
      failAll(failure);
    });
    worker.on('exit', () => failAll(new WorkflowError('SHUTTING_DOWN', 'the database is closed')));
  });

  return {
    call: (name, args) => {
      if (hasEnded !== null) return Promise.reject(hasEnded);
      lastId += 1;
      const id = lastId;
      // The answer's type is tied to the name by Operations; the thread answers each name with its own type.
      return new Promise<Answer<typeof name>>((resolve, reject) => {
        waiters.set(id, { resolve: (answer) => resolve(answer as Answer<typeof name>), reject });
        worker.postMessage({ type: 'request', request: { id, name, args } } satisfies ThreadMessage);
      });
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
