import type { AuditEntry } from '../../audit/record.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { postJson } from '../watching/http-post.ts';
import type { OtlpConfig } from './otlp-config.ts';
import { metricsJson, tracesJson } from './otlp-json.ts';
import type { FindRun } from './record-metrics.ts';
import type { Family } from './registry.ts';
import { createSpanMaker, type Span } from './spans.ts';

/** Sends metrics and traces out, as long as it is open. What cannot be sent is lost: the audit log is the record. */
export interface Otlp {
  take(records: readonly AuditEntry[]): void;
  /** Sends what there is, within two seconds. */
  close(): Promise<void>;
}

export interface OtlpParts {
  readonly families: () => Promise<readonly Family[]>;
  readonly findRun: FindRun;
  readonly startedAt: number;
  readonly now: () => number;
  readonly log: Pick<Diagnostics, 'warn'>;
}

const TRACES_EVERY_MS = 5000;
const MAX_SPANS = 2048;
const FAREWELL_MS = 2000;
/** Spans in a message. */
const MAX_BATCH = 512;

export function openOtlp(config: OtlpConfig, parts: OtlpParts): Otlp {
  const { metricsUrl, tracesUrl, resource, headers, timeoutMs } = config;
  const maker = createSpanMaker(parts.findRun);
  const gone = new AbortController();
  let spans: Span[] = [];
  let lostCount = 0;
  let sending: Promise<void> | null = null;
  let isFailing = false;

  const send = async (url: URL, document: object): Promise<boolean> => {
    const body = JSON.stringify(document);
    const outcome = await postJson({ url, headers, body, timeoutMs, signal: gone.signal });
    // Said once, not every five seconds.
    if (outcome.kind === 'failed' && !isFailing)
      parts.log.warn('metrics or traces could not be sent', { why: outcome.why });
    isFailing = outcome.kind === 'failed';
    return outcome.kind === 'done';
  };

  const sendMetrics = async (): Promise<void> => {
    if (metricsUrl === null) return;
    await send(metricsUrl, metricsJson(await parts.families(), resource, parts.startedAt, parts.now()));
  };
  const sendSpans = async (): Promise<void> => {
    while (tracesUrl !== null && spans.length > 0) {
      const batch = spans.slice(0, MAX_BATCH);
      if (!(await send(tracesUrl, tracesJson(batch, resource)))) return;
      spans = spans.slice(batch.length);
    }
    if (lostCount > 0) parts.log.warn('spans were lost: too many waited', { count: lostCount });
    lostCount = 0;
  };
  const safely = (act: () => Promise<void>): Promise<void> =>
    act().catch((error: unknown) => parts.log.warn('metrics could not be read', { cause: String(error) }));
  const flushSpans = (): Promise<void> => {
    sending ??= safely(sendSpans).finally(() => {
      sending = null;
    });
    return sending;
  };

  const timers = [
    setInterval(() => void safely(sendMetrics), config.intervalMs),
    setInterval(() => void flushSpans(), TRACES_EVERY_MS),
  ];
  for (const timer of timers) timer.unref();
  return {
    take: (records) => {
      if (tracesUrl === null) return;
      const ended = maker.take(records);
      const room = Math.max(0, MAX_SPANS - spans.length);
      spans = [...spans, ...ended.slice(0, room)];
      lostCount += Math.max(0, ended.length - room);
    },
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      // Leaving does not wait for a collector that hangs.
      const late = setTimeout(() => gone.abort(), Math.min(timeoutMs, FAREWELL_MS));
      await sending;
      await Promise.all([safely(sendMetrics), flushSpans()]);
      clearTimeout(late);
    },
  };
}
