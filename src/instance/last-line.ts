import type { OutputSink } from '../skills/output.ts';

/** A sink in front of another; `close` before the other one is closed. */
export interface ToldSink extends OutputSink {
  close(): void;
}

const PAUSE_MS = 250;
const TAIL_BYTES = 1024;
const MAX_LENGTH = 200;

/**
 * Hands everything on, and tells people who watch the last line of it, four times a second at most. A step that is over
 * before that tells nothing: it would cost more than it shows.
 */
export function tellLastLine(sink: OutputSink, tell: (line: string) => void, pauseMs = PAUSE_MS): ToldSink {
  let tail: Buffer = Buffer.alloc(0);
  let told = '';
  let timer: NodeJS.Timeout | null = null;

  const tellNow = (): void => {
    timer = null;
    const line = lastLine(tail.toString('utf8'));
    if (line === '' || line === told) return;
    told = line;
    tell(line);
  };

  return {
    write: (stream, chunk) => {
      const end = chunk.subarray(-TAIL_BYTES);
      // A copy: a slice would keep the whole chunk alive.
      tail = Buffer.from(Buffer.concat([tail, end]).subarray(-TAIL_BYTES));
      timer ??= setTimeout(tellNow, pauseMs);
      return sink.write(stream, chunk);
    },
    close: () => {
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** The last one with something in it; what is drawn over itself (a bar of progress) counts as lines. */
function lastLine(text: string): string {
  const line = text.split(/[\r\n]+/).findLast((each) => each.trim() !== '');
  return (line ?? '').trim().slice(0, MAX_LENGTH);
}
