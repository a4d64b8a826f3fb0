import { printable, type Style, styleFor } from '../text/style.ts';
import type { StepLogFile } from './log-files.ts';
import type { LogItem } from './log-merge.ts';

export interface LogFormatOptions {
  readonly step: string | null;
  readonly isRaw: boolean;
  readonly isJson: boolean;
}

/** Says how an item is printed: a line, with the name of its step where there may be several. */
export function logFormat(
  options: LogFormatOptions,
  style: Style = styleFor(process.stdout),
): (log: StepLogFile, item: LogItem) => string {
  if (options.isJson) return jsonLine;

  const names = new Map<string, string>();
  const nameOf = (path: string): string => {
    if (options.step === path) return '';
    const known = names.get(path) ?? `${style.named(printable(path))} ${style.dim('│')} `;
    names.set(path, known);
    return known;
  };
  return ({ path }, item) => {
    if (item.kind === 'gap')
      return `${nameOf(path)}${style.dim(`[${item.bytes} bytes are gone: this log grew over its size and its oldest part was dropped]`)}\n`;
    const text = options.isRaw ? item.text : printable(item.text);
    return `${nameOf(path)}${item.stream === 'e' ? style.yellow(text) : text}\n`;
  };
}

function jsonLine({ path: step, attempt }: StepLogFile, item: LogItem): string {
  const time = new Date(item.at).toISOString();
  if (item.kind === 'gap')
    return `${JSON.stringify({ time, step, attempt, stream: null, text: null, gone_bytes: item.bytes })}\n`;
  const stream = item.stream === 'o' ? 'stdout' : 'stderr';
  return `${JSON.stringify({ time, step, attempt, stream, text: item.text })}\n`;
}

const BATCH_CHARACTERS = 16 * 1024;

interface Output {
  /** Kept for a moment, so that many lines go out at once. */
  write(text: string): Promise<void> | undefined;
  flush(): Promise<void>;
}

/** Writes no more than the reader takes: a slow pager does not fill our memory. */
export function openOutput(stream: NodeJS.WriteStream): Output {
  let kept: string[] = [];
  let size = 0;
  let isFirst = true;
  const flush = async (): Promise<void> => {
    if (size === 0) return;
    const text = kept.join('');
    kept = [];
    size = 0;
    isFirst = false;
    if (!stream.write(text)) await new Promise<void>((resolve) => stream.once('drain', resolve));
  };
  return {
    write: (text) => {
      kept.push(text);
      size += text.length;
      // The first line at once: who waits sees that something comes.
      return isFirst || size >= BATCH_CHARACTERS ? flush() : undefined;
    },
    flush,
  };
}
