import type { Transcript } from '../agents/transcript.ts';
import type { JournalEntry, RunEvent } from '../engine/events.ts';
import type { Bootstrap } from '../protocol/instance-link.ts';
import { interruptions } from '../protocol/open-calls.ts';
import { internaliseAgent } from './blobs.ts';

/** The conversations of an instance's agents: those that earlier processes began, and those of this one. */
export interface Transcripts {
  /**
   * Takes what the engine said when it took the run over, and answers the outcomes of the tool calls that were open
   * when the last process ended: to be journaled after it.
   */
  recover(resumed: readonly RunEvent[]): readonly RunEvent[];
  /** The conversation for an attempt that begins: that of the journal goes on, one of this process had failed. */
  begin(path: string): Promise<Transcript>;
}

export function openTranscripts(bootstrap: Pick<Bootstrap, 'journal' | 'folder'>): Transcripts {
  const { folder } = bootstrap;
  // The time that nobody worked in does not count.
  const at = bootstrap.journal.at(-1)?.at ?? 0;
  let entries: readonly Pick<JournalEntry, 'at' | 'event'>[] = bootstrap.journal;
  const running = new Map<string, Transcript>();
  return {
    recover: (resumed) => {
      const ended = interruptions(entries, sha256);
      entries = [...entries, ...[...resumed, ...ended].map((event) => ({ at, event }))];
      return ended;
    },
    begin: async (path) => {
      const known = running.get(path);
      known?.startAnew();
      if (known !== undefined) return known;
      const { readTranscript } = await import('../agents/transcript.ts');
      const transcript = readTranscript(entries, path, (event) => internaliseAgent(folder, event));
      running.set(path, transcript);
      return transcript;
    },
  };
}

/** Loaded only where it is needed: node:crypto is a tenth of an instance's start. */
function sha256(text: string): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex');
}
