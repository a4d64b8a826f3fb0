import { fstatSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { ensureError, systemCode } from '../../errors/workflow-error.ts';

/**
 * The descriptor (2 or 1) that leads to the journal of systemd, or null. JOURNAL_STREAM is inherited by everything that
 * a service starts, so it counts only where the descriptor is the stream it names, see systemd.exec(5).
 */
export function journalDescriptor(
  env: NodeJS.ProcessEnv,
  identify: (descriptor: number) => string = streamOf,
): 1 | 2 | null {
  const stream = env['JOURNAL_STREAM'];
  if (stream === undefined || stream === '') return null;
  return ([2, 1] as const).find((descriptor) => identify(descriptor) === stream) ?? null;
}

/**
 * Lines into the journal. It never fails: what the journal does not take is counted and let go, and the next line that
 * it takes follows `lossLine`.
 */
export function openJournalStream(
  descriptor: number,
  lossLine: (count: number, why: string) => string,
): Writable {
  let lost = 0;
  let why = '';
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      try {
        writeAll(descriptor, lost === 0 ? chunk : Buffer.concat([Buffer.from(lossLine(lost, why)), chunk]));
        lost = 0;
      } catch (error) {
        lost += 1;
        why = systemCode(error) ?? ensureError(error).message;
      }
      done();
    },
  });
}

function writeAll(descriptor: number, line: Buffer): void {
  for (let done = 0; done < line.length; ) done += writeSync(descriptor, line, done);
}

function streamOf(descriptor: number): string {
  try {
    const { dev, ino } = fstatSync(descriptor, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (systemCode(error) !== 'EBADF') throw error;
    return '';
  }
}
