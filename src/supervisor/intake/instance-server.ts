import { timingSafeEqual } from 'node:crypto';
import type { Server, Socket } from 'node:net';
import { identify } from '../../../sandbox/process-identity.ts';
import type { InstanceMessage } from '../../protocol/instance-link.ts';
import { type JsonLines, openJsonLines } from '../../protocol/json-lines.ts';
import type { SupervisorContext } from '../context.ts';
import { hashToken } from '../lifecycle/launch.ts';
import { type LiveInstance, notify } from '../lifecycle/live-instance.ts';
import { notAccepted } from '../listen.ts';
import type { InstanceDoor } from './instance-door.ts';
import { type IntakeHandlers, type JournalIntake, openIntake } from './journal-intake.ts';
import { readMessage } from './message-check.ts';
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

/**
 * Answers on `instance.sock`: who waits at the door is heard first. A connection says hello with its token first;
 * anything else closes it.
 */
export function serveInstances(
  context: SupervisorContext,
  door: InstanceDoor,
  handlers: InstanceServerHandlers,
): Server {
  const enter = (socket: Socket): void => {
    let live: LiveInstance | null = null;
    let intake: JournalIntake | null = null;
    let network: NetworkIntake | null = null;
    let isRejected = false;
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const lines: JsonLines = openJsonLines(socket, {
      message: (raw) => {
        const message = readMessage(raw);
        if (live === null || intake === null) {
          const hello = 'type' in message && message.type === 'hello' ? message : null;
          const found = hello && authenticate(hello, handlers.find(hello.instance));
          if (found === null || hello === null) {
            lines.send({ type: 'fenced', reason: 'this incarnation is not, or no longer, the current one' });
            lines.end();
            return;
          }
          live = found;
          live.link?.destroy();
          live.link = lines;
          const toIntake: IntakeHandlers = {
            rejected: (reason) => handlers.rejected(found, reason),
            ended: () => handlers.ended(found),
          };
          const opened = openIntake(context, found, toIntake, live.silence());
          intake = opened;
          const told = openNetworkIntake(context, found);
          network = told;
          live.silence = async () => {
            await closed;
            await Promise.all([opened.drained(), told.drained()]);
          };
          lines.send({ type: 'welcome', ackedSeq: live.lastSeq });
          live.process ??= identify(hello.pid);
          const everyMs = hello.beatMs;
          live.pulse = everyMs === undefined ? null : { everyMs, heardAt: performance.now() };
          handlers.connected(live);
          return;
        }
        if (isRejected) return;
        if ('wrong' in message) {
          isRejected = true;
          handlers.rejected(live, `its process sent ${message.wrong}`);
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
  };
  return door.open(enter, notAccepted(context.log, context.home.instanceSocket));
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
