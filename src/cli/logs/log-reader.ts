import { isAddressed } from '../../protocol/step-address.ts';
import { LogCursor } from './log-cursor.ts';
import { type LogListing, listLogs, type StepLogFile } from './log-files.ts';
import { type LogItem, type LogSource, merged } from './log-merge.ts';
import { firstTime, tailStart } from './log-tail.ts';

export interface LogReaderOptions {
  readonly step: string | null;
  readonly stream: string | null;
  readonly grep: string | null;
  readonly tail: number | null;
}

/** Reads the logs of an instance, each byte once, merged by time. Holds open what is not over: close it. */
export class LogReader {
  readonly #folder: string;
  readonly #since: number;
  readonly #options: LogReaderOptions;
  readonly #open = new Map<string, LogCursor>();
  readonly #done = new Set<string>();
  readonly #seen = new Set<string>();

  constructor(folder: string, since: number, options: LogReaderOptions) {
    this.#folder = folder;
    this.#since = since;
    this.#options = options;
  }

  /** True when there was a log of the wanted step. */
  hasFound = false;

  /** Paths of all steps that have a log, and of the steps around them. */
  paths(): Set<string> {
    const paths = new Set<string>();
    for (const path of this.#seen)
      for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
        paths.add(path.slice(0, end));
    return paths;
  }

  /** What is new. To the logs that are over by `isOver` nothing more comes: their last line may lack its end. */
  read(isOver: (log: StepLogFile) => boolean): Iterable<readonly [StepLogFile, LogItem]> {
    // Once for all logs, and before anything is read: what is listed as whole stays so.
    const listing = listLogs(this.#folder);
    for (const log of listing.logs) this.#seen.add(log.path);
    const wanted = listing.logs.filter((log) => !this.#done.has(log.file) && this.#isWanted(log));
    if (wanted.length > 0) this.hasFound = true;
    return merged(wanted.map((log) => this.#source(log, listing, isOver)));
  }

  close(): void {
    for (const cursor of this.#open.values()) cursor.close();
    this.#open.clear();
  }

  #isWanted({ path }: StepLogFile): boolean {
    const { step } = this.#options;
    return step === null || isAddressed(path, step);
  }

  #source(log: StepLogFile, listing: LogListing, isOver: (log: StepLogFile) => boolean): LogSource {
    const isOpen = this.#open.has(log.file);
    return {
      log,
      startsAt: isOpen ? 0 : firstTime(this.#folder, log.file, listing),
      open: () => this.#items(log, listing, isOver),
    };
  }

  *#items(log: StepLogFile, listing: LogListing, isOver: (log: StepLogFile) => boolean): Generator<LogItem> {
    const cursor = this.#open.get(log.file) ?? this.#openCursor(log.file, listing);
    yield* cursor.read(listing, this.#since);
    if (!isOver(log)) return;
    yield* cursor.rest();
    cursor.close();
    this.#open.delete(log.file);
    this.#done.add(log.file);
  }

  /** Where every line counts, the last ones are found without reading those before. */
  #openCursor(file: string, listing: LogListing): LogCursor {
    const { tail, stream, grep } = this.#options;
    const cursor = new LogCursor(
      this.#folder,
      file,
      stream === null ? null : stream === 'stderr' ? 'e' : 'o',
    );
    this.#open.set(file, cursor);
    if (tail !== null && stream === null && grep === null)
      cursor.startAt(tailStart(this.#folder, file, listing, tail), listing);
    return cursor;
  }
}
