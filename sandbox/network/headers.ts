import { hostField, isSameTarget, parseHostField, type Target } from './target.ts';

/** Names and values in turn, as Node has them in `rawHeaders`. */
export type RawHeaders = readonly string[];

export type RequestHeaders =
  | { readonly kind: 'headers'; readonly headers: string[] }
  | { readonly kind: 'refused'; readonly reason: 'host_differs' | 'framing' };

/** Of one connection only (RFC 9110, 7.6.1), and what we answer or frame ourselves. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'http2-settings',
]);

/** Methods that have no body unless one is framed. */
const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

/**
 * The headers of a request as they go on: for exactly this host, nothing of this connection, nothing for a proxy, and
 * the body framed anew in one of the two ways. What could be read in two ways is refused, though the parser before us
 * already refuses most of it.
 */
export function requestHeaders(method: string, raw: RawHeaders, target: Target): RequestHeaders {
  const hosts = valuesOf(raw, 'host');
  const told = hosts.length === 1 ? parseHostField(hosts[0] ?? '') : null;
  if (told === null || !isSameTarget(told, target)) return { kind: 'refused', reason: 'host_differs' };
  const codings = valuesOf(raw, 'transfer-encoding');
  const lengths = valuesOf(raw, 'content-length');
  const isChunked = codings.length === 1 && codings[0]?.toLowerCase() === 'chunked';
  const isSized = lengths.length === 1 && /^\d{1,15}$/.test(lengths[0] ?? '');
  if (codings.length + lengths.length > 0 && isChunked === isSized)
    return { kind: 'refused', reason: 'framing' };
  if (codings.length + lengths.length > 1) return { kind: 'refused', reason: 'framing' };
  const kept = endToEnd(raw, ['host', 'content-length']);
  if (isChunked) kept.push('Transfer-Encoding', 'chunked');
  else if (isSized || !BODILESS.has(method)) kept.push('Content-Length', lengths[0] ?? '0');
  return { kind: 'headers', headers: ['Host', hostField(target), ...kept, 'Connection', 'close'] };
}

/** The headers of an answer as they go back. */
export function responseHeaders(raw: RawHeaders): string[] {
  const [length] = valuesOf(raw, 'content-length');
  const kept = endToEnd(raw, ['content-length']);
  return length === undefined ? kept : [...kept, 'Content-Length', length];
}

/** Without those of one connection, those that `Connection` names, and those of a proxy; also without `others`. */
function endToEnd(raw: RawHeaders, others: readonly string[]): string[] {
  const named = valuesOf(raw, 'connection').flatMap((value) => value.split(','));
  const dropped = new Set([...others, ...named.map((name) => name.trim().toLowerCase())]);
  const kept: string[] = [];
  for (const [name, value] of pairs(raw)) {
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || lower.startsWith('proxy-') || dropped.has(lower)) continue;
    kept.push(name, value);
  }
  return kept;
}

function valuesOf(raw: RawHeaders, wanted: string): string[] {
  return pairs(raw)
    .filter(([name]) => name.toLowerCase() === wanted)
    .map(([, value]) => value.trim());
}

function pairs(raw: RawHeaders): [string, string][] {
  const all: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) all.push([raw[index] ?? '', raw[index + 1] ?? '']);
  return all;
}
