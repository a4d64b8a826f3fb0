/** Entry of the writer thread: takes requests in bursts, so that what waits during one commit shares the next. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type ErrorRecord, ensureWorkflowError } from '../errors/workflow-error.ts';
import { collectGarbage } from '../protocol/collect-garbage.ts';
import { type AuditProgress, openWriter, type Reply, type Request, type Writer } from './writer.ts';

export interface WriterThreadData {
  readonly file: string;
  readonly boot: string;
}

export type ThreadMessage =
  | { readonly type: 'requests'; readonly requests: readonly Request[] }
  | { readonly type: 'give_back' }
  | { readonly type: 'close' };

export type FromThread =
  | { readonly type: 'ready'; readonly audit: AuditProgress }
  | { readonly type: 'failed'; readonly error: ErrorRecord }
  | { readonly type: 'replies'; readonly replies: readonly Reply[]; readonly audit: AuditProgress };

/** Once it has so many, a commit takes no more: a reply should not wait for a crowd. */
const MAX_BATCH = 512;

const port = parentPort;
if (port === null) throw new Error('the writer thread is started by the store');
const { file, boot } = workerData as WriterThreadData;

let writer: Writer | null = null;
try {
  writer = openWriter(file, boot);
  port.postMessage({ type: 'ready', audit: writer.takeProgress() } satisfies FromThread);
} catch (error) {
  port.postMessage({ type: 'failed', error: ensureWorkflowError(error).toRecord() } satisfies FromThread);
}

port.on('message', (first: ThreadMessage) => {
  const batch: Request[] = [];
  let isClosing = false;
  let isGivingBack = false;
  for (let next: ThreadMessage | undefined = first; next !== undefined; ) {
    if (next.type === 'close') isClosing = true;
    else if (next.type === 'give_back') isGivingBack = true;
    else batch.push(...next.requests);
    const received: { message: ThreadMessage } | undefined =
      batch.length < MAX_BATCH && !isClosing ? receiveMessageOnPort(port) : undefined;
    next = received?.message;
  }
  if (writer !== null && batch.length > 0) {
    const replies = writer.run(batch);
    port.postMessage({ type: 'replies', replies, audit: writer.takeProgress() } satisfies FromThread);
  }
  if (isGivingBack) {
    writer?.giveBack();
    collectGarbage();
  }
  if (isClosing) {
    writer?.close();
    port.close();
  }
});
