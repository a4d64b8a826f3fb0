import { addressProblem } from '../../agents/model/model-address.ts';

/** Where metrics and traces go, by the variables that OpenTelemetry has for it. */
export interface OtlpConfig {
  readonly metricsUrl: URL | null;
  readonly tracesUrl: URL | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, string>>;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/**
 * Null when nothing is asked for. Only `http/json` is spoken, also where no protocol is named.
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function otlpConfig(env: NodeJS.ProcessEnv): { config: OtlpConfig | null; problem: string | null } {
  const of = (name: string): string => env[name]?.trim() ?? '';
  const problems: string[] = [];
  const urlOf = (signal: 'METRICS' | 'TRACES'): URL | null => {
    if (of(`OTEL_${signal}_EXPORTER`) === 'none') return null;
    const own = of(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`);
    const shared = of('OTEL_EXPORTER_OTLP_ENDPOINT');
    const address = own || (shared === '' ? '' : `${shared.replace(/\/+$/, '')}/v1/${signal.toLowerCase()}`);
    if (address === '') return null;
    const protocol = of(`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`) || of('OTEL_EXPORTER_OTLP_PROTOCOL');
    if (protocol !== '' && protocol !== 'http/json') {
      problems.push(`the OTLP protocol ${protocol} is not spoken here, only http/json`);
      return null;
    }
    const wrong = addressProblem(address, headers.size > 0);
    if (wrong === null) return new URL(address);
    problems.push(`the OTLP endpoint for ${signal.toLowerCase()}: ${wrong}`);
    return null;
  };
  const headers = pairs(of('OTEL_EXPORTER_OTLP_HEADERS'));
  if (of('OTEL_SDK_DISABLED').toLowerCase() === 'true') return { config: null, problem: null };
  const [metricsUrl, tracesUrl] = [urlOf('METRICS'), urlOf('TRACES')];
  const problem = problems.length === 0 ? null : [...new Set(problems)].join('; ');
  if (metricsUrl === null && tracesUrl === null) return { config: null, problem };
  const resource = Object.fromEntries(pairs(of('OTEL_RESOURCE_ATTRIBUTES')));
  return {
    problem,
    config: {
      metricsUrl,
      tracesUrl,
      headers: Object.fromEntries(headers),
      resource: {
        ...resource,
        'service.name': of('OTEL_SERVICE_NAME') || (resource['service.name'] ?? 'q-workflow'),
      },
      intervalMs: positive(of('OTEL_METRIC_EXPORT_INTERVAL'), 60_000),
      timeoutMs: positive(of('OTEL_EXPORTER_OTLP_TIMEOUT'), 10_000),
    },
  };
}

/** `a=1,b=2`, values percent-encoded (W3C Baggage). */
function pairs(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    if (at > 0) found.set(part.slice(0, at).trim(), decoded(part.slice(at + 1).trim()));
  }
  return found;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch (error) {
    // Written as it is meant.
    if (!(error instanceof URIError)) throw error;
    return value;
  }
}

function positive(text: string, otherwise: number): number {
  const value = Number(text);
  return text !== '' && Number.isFinite(value) && value > 0 ? value : otherwise;
}
