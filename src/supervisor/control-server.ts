import { createServer, type Server } from 'node:net';
import { type ErrorRecord, ensureWorkflowError, WorkflowError } from '../errors/workflow-error.ts';
import type { ControlMethod, ControlMethods, ControlNotification, RpcRequest } from '../protocol/control.ts';
import { openJsonLines } from '../protocol/json-lines.ts';
import type { SupervisorContext } from './context.ts';
import { listen, notAccepted } from './listen.ts';

/** A follower that has so much to read (a stopped process, a hung pager) is cut off: it would fill our memory. */
const MAX_BACKLOG_BYTES = 8 * 1024 * 1024;

/** One call of a person's command. */
export interface Call {
  /** Sends a notification to the caller; does nothing once it has gone. Lets go of a caller that does not read. */
  notify(notification: ControlNotification): void;
  /** Aborted when the caller's connection closes. */
  readonly gone: AbortSignal;
}

export type ControlHandlers = {
  readonly [K in ControlMethod]: (params: ControlMethods[K][0], call: Call) => Promise<ControlMethods[K][1]>;
};

/** Listens on `control.sock`. Who may open the socket may do everything: its folder is private to the user. */
export async function serveControl(context: SupervisorContext, handlers: ControlHandlers): Promise<Server> {
  const server = createServer((socket) => {
    const gone = new AbortController();
    const lines = openJsonLines(socket, {
      message: (raw) => void answer(raw),
      closed: () => gone.abort(),
    });
    const call: Call = {
      notify: (notification) => {
        if (lines.backlogBytes > MAX_BACKLOG_BYTES) {
          context.log.warn('a follower that does not read was let go', { backlog: lines.backlogBytes });
          lines.destroy();
        } else lines.send({ jsonrpc: '2.0', ...notification });
      },
      gone: gone.signal,
    };
    const answer = async (raw: unknown): Promise<void> => {
      const request = asRequest(raw);
      if (request === null) {
        lines.send({
          jsonrpc: '2.0',
          id: null,
          error: rpcError(-32600, { code: 'PROTOCOL', message: 'not a JSON-RPC request' }),
        });
        return;
      }
      try {
        lines.send({ jsonrpc: '2.0', id: request.id, result: await dispatch(handlers, request, call) });
      } catch (error) {
        const known = ensureWorkflowError(error);
        if (known.code === 'INTERNAL')
          context.log.error('a request failed in a way that was not foreseen', {
            method: request.method,
            cause: known.message,
            stack: known.cause instanceof Error ? known.cause.stack : known.stack,
          });
        lines.send({ jsonrpc: '2.0', id: request.id, error: rpcError(-32000, known.toRecord()) });
      }
    };
  });
  const path = context.home.controlSocket;
  await listen(server, path, notAccepted(context.log, path));
  return server;
}

async function dispatch(handlers: ControlHandlers, request: RpcRequest, call: Call): Promise<unknown> {
  if (!Object.hasOwn(handlers, request.method))
    throw new WorkflowError('PROTOCOL', `the supervisor has no method ${request.method}`);
  // Only our own client speaks here, with the parameter types of the protocol module.
  const handler = handlers[request.method as ControlMethod] as (
    params: unknown,
    call: Call,
  ) => Promise<unknown>;
  return handler(request.params ?? {}, call);
}

function asRequest(raw: unknown): RpcRequest | null {
  if (typeof raw !== 'object' || raw === null) return null;
  if (!('id' in raw) || typeof raw.id !== 'number' || !('method' in raw) || typeof raw.method !== 'string')
    return null;
  return { jsonrpc: '2.0', id: raw.id, method: raw.method, params: 'params' in raw ? raw.params : {} };
}

function rpcError(code: number, data: ErrorRecord): { code: number; message: string; data: ErrorRecord } {
  return { code, message: data.message, data };
}
