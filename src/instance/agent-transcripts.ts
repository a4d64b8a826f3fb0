import type { Transcript } from '../agents/native/transcript.ts';
import type { RunEvent } from '../engine/events.ts';
import type { BootApproval, Bootstrap } from '../protocol/instance-link.ts';
import {
  heldCalls,
  interruptions,
  type OpenCall,
  openCalls,
  undecided,
  waitingCalls,
} from '../protocol/open-calls.ts';
import { internaliseAgent } from './blobs.ts';

/** The conversations of an instance's agents: those that earlier processes began, and those of this one. */
export interface Transcripts {
  /**
   * Takes what the engine said when it took the run over, and answers the outcomes of the tool calls that were open
   * when the last process ended: to be journaled after it.
   */
  recover(resumed: readonly RunEvent[]): readonly RunEvent[];
  /**
   * The conversation for an attempt that begins: that of the journal, or one that was suspended, goes on; another one
   * of this process had failed.
   */
  begin(path: string): Promise<Transcript>;
  /** The attempt has let go and waits for a person. */
  suspend(path: string): void;
  /** The outcomes of calls that still wait when the run ends. */
  abandon(): readonly RunEvent[];
}

export function openTranscripts(
  bootstrap: Pick<Bootstrap, 'journal' | 'folder' | 'approvals' | 'lastProcess'>,
): Transcripts {
  const { folder, journal, lastProcess } = bootstrap;
  let said: readonly RunEvent[] = [];
  const running = new Map<string, Transcript>();
  const suspended = new Set<string>();
  /** Calls that wait, of steps that no attempt of this process has taken up. */
  let held: readonly OpenCall[] = [];
  return {
    recover: (resumed) => {
      const waiting = waitingCalls(bootstrap.approvals);
      const ended = interruptions(journal, waiting, sha256);
      held = heldCalls(openCalls(journal), waiting);
      said = [...resumed, ...ended];
      return ended;
    },
    begin: async (path) => {
      held = held.filter((call) => call.path !== path);
      const known = running.get(path);
      if (!suspended.delete(path)) known?.startAnew();
      if (known !== undefined) return known;
      const { readTranscript } = await import('../agents/native/transcript.ts');
      const left = { journal, lastProcess, resumed: said, usedApprovals: usedBy(bootstrap.approvals) };
      const transcript = readTranscript(left, path, (event) => internaliseAgent(folder, event));
      running.set(path, transcript);
      return transcript;
    },
    suspend: (path) => {
      running.get(path)?.hold();
      suspended.add(path);
    },
    abandon: () => {
      const begun = [...running].flatMap(([path, { openCalls: calls }]) =>
        calls.map((call) => ({ path, call })),
      );
      return undecided([...held, ...begun], 'run', sha256);
    },
  };
}

/** Those that have let a request to a model through. */
function usedBy(approvals: readonly BootApproval[]): ReadonlySet<number> {
  const used = approvals.filter(
    ({ request, answeredAt, isRefused }) => request.kind === 'model' && answeredAt !== null && !isRefused,
  );
  return new Set(used.map(({ number }) => number));
}

/** Loaded only where it is needed: node:crypto is a tenth of an instance's start. */
function sha256(text: string): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex');
}
