import { timingSafeEqual } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { identify } from '../../../sandbox/process-identity.ts';
import type { InstanceMessage } from '../../protocol/instance-link.ts';
import { type JsonLines, openJsonLines } from '../../protocol/json-lines.ts';
import type { SupervisorContext } from '../context.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { hashToken } from '../lifecycle/launch.ts';
import { type LiveInstance, notify } from '../lifecycle/live-instance.ts';
import { type JournalIntake, openIntake } from './journal-intake.ts';
import { type NetworkIntake, openNetworkIntake } from './network-intake.ts';

export interface InstanceServerHandlers {
  /** The end of a run is committed. */
  ended(live: LiveInstance): void;
  /** The live instance of an id, or null. */
  find(id: string): LiveInstance | null;
  /** A process proved who it is. */
  connected(live: LiveInstance): void;
  /** The process must end: its events cannot be taken. */
  rejected(live: LiveInstance, reason: string): void;
}

/** Listens on `instance.sock`. A connection says hello with its token first; anything else closes it. */
export function serveInstances(
  context: SupervisorContext,
  handlers: InstanceServerHandlers,
): Promise<Server> {
  const server = createServer((socket) => {
    let live: LiveInstance | null = null;
    let intake: JournalIntake | null = null;
    let network: NetworkIntake | null = null;
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const lines: JsonLines = openJsonLines(socket, {
      message: (raw) => {
        // The token check below is the border: only our own instance process gets past it, and it sends our types.
        const message = raw as InstanceMessage;
        if (live === null || intake === null) {
          const found =
            message.type === 'hello' ? authenticate(message, handlers.find(message.instance)) : null;
          if (found === null || message.type !== 'hello') {
            lines.send({ type: 'fenced', reason: 'this incarnation is not, or no longer, the current one' });
            lines.end();
            return;
          }
          live = found;
          live.link?.destroy();
          live.link = lines;
          const opened = openIntake(context, found, {
            rejected: (reason) => handlers.rejected(found, reason),
            ended: () => handlers.ended(found),
          });
          intake = opened;
          const told = openNetworkIntake(context, found);
          network = told;
          live.silence = async () => {
            await closed;
            await Promise.all([opened.drained(), told.drained()]);
          };
          lines.send({ type: 'welcome', ackedSeq: live.lastSeq });
          live.process ??= identify(message.pid);
          const everyMs = message.beatMs;
          live.pulse = everyMs === undefined ? null : { everyMs, heardAt: performance.now() };
          handlers.connected(live);
          return;
        }
        if (live.pulse !== null && live.link === lines) live.pulse.heardAt = performance.now();
        switch (message.type) {
          case 'events':
            intake.events(message.entries);
            return;
          case 'permit':
            intake.permit(message);
            return;
          case 'network':
            network?.take(message.id, message.report);
            return;
          case 'progress':
            notify(live, {
              method: 'instance.progress',
              params: { id: live.row.id, path: message.path, line: message.line },
            });
            return;
          case 'switched_off':
            for (const listener of live.switchListeners) listener(message.scope);
            return;
          case 'io':
            live.ioAtEnd = message.bytes;
            return;
          case 'hello':
          case 'beat':
            return;
        }
      },
      closed: (error) => {
        if (error !== null) context.log.warn('an instance connection failed', { cause: String(error) });
        if (live?.link === lines) live.link = null;
      },
    });
  });
  return listen(server, context.home.instanceSocket, context.log);
}

/** Listens on a unix socket of a fixed path: the lock of the home makes a file that is there a leftover. */
export function listen(server: Server, path: string, log: Diagnostics): Promise<Server> {
  rmSync(path, { force: true });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      // No descriptor left, or no memory: those who are connected go on.
      server.on('error', (error) =>
        log.error('a connection could not be accepted', { socket: path, cause: error.message }),
      );
      chmodSync(path, 0o600);
      resolve(server);
    });
  });
}

function authenticate(
  hello: Extract<InstanceMessage, { type: 'hello' }>,
  live: LiveInstance | null,
): LiveInstance | null {
  if (live === null || live.incarnation !== hello.incarnation) return null;
  const given = Buffer.from(hashToken(String(hello.token)));
  const known = Buffer.from(live.tokenHash);
  return given.length === known.length && timingSafeEqual(given, known) ? live : null;
}
