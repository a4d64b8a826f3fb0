import { createConnection, type Socket } from 'node:net';
import { systemCode, WorkflowError } from '../errors/workflow-error.ts';
import type { ControlMethod, ControlMethods, ControlNotification, RpcResponse } from '../protocol/control.ts';
import { checkHome, type Home, prepareHome } from '../protocol/home.ts';
import type { IsolationRequest } from '../protocol/isolation-request.ts';
import { openJsonLines } from '../protocol/json-lines.ts';

/** A connection of one command to the supervisor. */
export interface Client {
  call<K extends ControlMethod>(method: K, params: ControlMethods[K][0]): Promise<ControlMethods[K][1]>;
  /** Takes notifications from now on; one listener. */
  onNotification(listener: (notification: ControlNotification) => void): void;
  /** Resolves when the connection has closed, whoever closed it. */
  readonly closed: Promise<void>;
  /** True as soon as a call fails because the connection has closed. */
  isClosed(): boolean;
  close(): void;
}

/** How long a supervisor that a service manager has just started may take until it answers. */
const CONNECT_DEADLINE_MS = 20_000;
const CONNECT_RETRY_MS = 30;
/** A supervisor that answers nothing for so long hangs: its slowest other answer, stopping all instances, has 30 s. */
const ANSWER_DEADLINE_MS = 60_000;
/** Takes as long as there is to do, hours in an old home: as long as the supervisor answers something else. */
const LASTING: ReadonlySet<ControlMethod> = new Set<ControlMethod>([
  'archive.list',
  'archive.prune',
  'archive.restore',
  'archive.run',
  'archive.show',
  'audit.prune',
  'supervisor.backup',
]);

export interface ConnectOptions {
  /** For a supervisor that has to be started. One that runs already keeps what it has. */
  readonly isolation?: IsolationRequest | undefined;
  readonly answerDeadlineMs?: number;
}

/**
 * Connects to the supervisor of a home; `start` starts one when none runs. Throws HOME_UNSAFE, or
 * SUPERVISOR_UNREACHABLE when there is none (or it cannot be started).
 */
export async function connect(
  home: Home,
  mode: 'start' | 'must_run',
  { isolation, answerDeadlineMs = ANSWER_DEADLINE_MS }: ConnectOptions = {},
): Promise<Client> {
  checkHome(home);
  const first = await tryConnect(home);
  if (first !== null) return openClient(first, home, answerDeadlineMs);
  if (mode === 'must_run')
    throw new WorkflowError('SUPERVISOR_UNREACHABLE', `no supervisor answers on ${home.controlSocket}`);
  // Most commands find one running: the means to start one are loaded only now.
  const [{ startSupervisor }, { awaitStartTurn }] = await Promise.all([
    import('./start-supervisor.ts'),
    import('./start-turn.ts'),
  ]);
  prepareHome(home);
  const turn = await awaitStartTurn(home, () => tryConnect(home));
  if ('found' in turn) return openClient(turn.found, home, answerDeadlineMs);
  try {
    await startSupervisor(home, isolation);
    return openClient(await connectSoon(home), home, answerDeadlineMs);
  } finally {
    turn.lock.release();
  }
}

/** For a supervisor that has just said that it is ready, or that is starting under a service manager. */
async function connectSoon(home: Home): Promise<Socket> {
  const deadline = performance.now() + CONNECT_DEADLINE_MS;
  for (;;) {
    const socket = await tryConnect(home);
    if (socket !== null) return socket;
    if (performance.now() > deadline)
      throw new WorkflowError(
        'SUPERVISOR_UNREACHABLE',
        `a supervisor was started and does not answer on ${home.controlSocket} after ${CONNECT_DEADLINE_MS / 1000} s`,
        { hint: `Look at ${home.logFolder}/supervisor.log.` },
      );
    await new Promise((resolve) => setTimeout(resolve, CONNECT_RETRY_MS));
  }
}

function tryConnect(home: Home): Promise<Socket | null> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(home.controlSocket);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (error) => {
      const code = systemCode(error);
      if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'EAGAIN') resolve(null);
      else
        reject(
          new WorkflowError(
            'SUPERVISOR_UNREACHABLE',
            `cannot open ${home.controlSocket}: ${code ?? error.message}`,
            {
              cause: error,
            },
          ),
        );
    });
  });
}

function openClient(socket: Socket, home: Home, answerDeadlineMs: number): Client {
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  let lastId = 0;
  let listener: (notification: ControlNotification) => void = () => undefined;
  let lost: WorkflowError | null = null;
  let markClosed: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    markClosed = resolve;
  });
  const lines = openJsonLines(socket, {
    message: (raw) => {
      // The socket lies in a folder that only this user may enter, and our supervisor made it.
      const message = raw as RpcResponse | (ControlNotification & { id?: undefined });
      if (message.id === undefined) {
        listener(message);
        return;
      }
      const waiter = waiting.get(message.id);
      waiting.delete(message.id);
      if ('error' in message) waiter?.reject(WorkflowError.fromRecord(message.error.data));
      else waiter?.resolve(message.result);
    },
    closed: () => {
      lost = new WorkflowError(
        'SUPERVISOR_UNREACHABLE',
        `the supervisor closed the connection to ${home.controlSocket}`,
      );
      for (const waiter of waiting.values()) waiter.reject(lost);
      waiting.clear();
      markClosed();
    },
  });
  const call: Client['call'] = (method, params) => {
    // What is asked on a closed connection would wait for an answer for ever.
    if (lost !== null) return Promise.reject(lost);
    lastId += 1;
    const id = lastId;
    return new Promise<ControlMethods[typeof method][1]>((resolve, reject) => {
      let timer: NodeJS.Timeout;
      const giveUp = (): void => {
        waiting.delete(id);
        reject(unanswered(home, method, answerDeadlineMs));
      };
      const isAlive = (): void => {
        if (waiting.has(id)) startTimer();
      };
      const startTimer = (): void => {
        timer = setTimeout(() => {
          if (!LASTING.has(method)) giveUp();
          // One of an older version does not know the method, and says so: it answers, too.
          else
            call('supervisor.ping', {}).then(isAlive, (error: WorkflowError) =>
              error.code === 'PROTOCOL' ? isAlive() : giveUp(),
            );
        }, answerDeadlineMs);
      };
      startTimer();
      waiting.set(id, {
        resolve: (result) => {
          clearTimeout(timer);
          resolve(result as ControlMethods[typeof method][1]);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      lines.send({ jsonrpc: '2.0', id, method, params });
    });
  };
  return {
    call,
    onNotification: (given) => {
      listener = given;
    },
    closed,
    isClosed: () => lost !== null,
    close: () => {
      lines.end();
      // A supervisor that hangs never answers the end: this process must not wait for it.
      socket.unref();
    },
  };
}

function unanswered(home: Home, method: string, afterMs: number): WorkflowError {
  return new WorkflowError(
    'SUPERVISOR_UNREACHABLE',
    `the supervisor has not answered ${method} for ${afterMs / 1000} s`,
    {
      // A status would not be answered either.
      hint: `Its pid is in the last line "supervisor is ready" of ${home.logFolder}/supervisor.log: after kill -9 (a service: systemctl restart) instances go on, and the next command starts another one.`,
    },
  );
}
