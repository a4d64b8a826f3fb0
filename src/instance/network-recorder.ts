import type { NetworkEvent } from '../../sandbox/network/events.ts';
import type { NetworkReport } from '../protocol/instance-link.ts';
import type { OutputSink } from '../skills/output.ts';

/** Tells the supervisor; resolves true when it is recorded, false when it cannot be, or not in time. */
export type TellNetwork = (report: NetworkReport) => Promise<boolean>;

/** Whose processes the proxy serves, and who hears of it. */
export interface NetworkOwner {
  readonly path: string;
  readonly attempt: number;
  readonly tool: string;
  readonly tell: TellNetwork;
  /** The log of the attempt gets a line for what is refused; null where the processes outlive it. */
  readonly output: OutputSink | null;
}

/** Takes what the proxy says. Rejects for a decision that is not recorded: then nothing is let through. */
export function networkRecorder({
  path,
  attempt,
  tool,
  tell,
  output,
}: NetworkOwner): (event: NetworkEvent) => Promise<void> {
  return async (event) => {
    const told = tell({ path, attempt, tool, event });
    // The end of a connection is kept until it is recorded; nothing waits for it.
    if (event.type === 'ended') return;
    if (!(await told)) throw new Error('there is no record for it');
    if (event.outcome === 'refused') await output?.write('stderr', Buffer.from(refusalLine(event)));
  };
}

function refusalLine({ host, port, reason, rule }: Extract<NetworkEvent, { type: 'decided' }>): string {
  const where = host === null ? 'a request' : `${host}:${port}`;
  const by = rule?.by === undefined || reason !== 'host_refused' ? '' : ` by ${rule.by}`;
  return `network: ${where} was refused${by} (${reason})\n`;
}
