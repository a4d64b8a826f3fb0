import { type Host, hostInUrl, isSameHost, normaliseHost } from './host.ts';

export interface Target {
  readonly host: Host;
  readonly port: number;
}

export interface HttpTarget extends Target {
  /** What the server is asked for, byte by byte as it came. */
  readonly path: string;
}

const HTTP_PORT = 80;
const MAX_PORT = 65535;

/** The target of CONNECT: a host and a port, both said. Null for anything else. */
export function parseAuthority(text: string): Target | null {
  const parts = /^(\[[^[\]]*\]|[^:[\]]*):([1-9]\d{0,4})$/.exec(text);
  const host = normaliseHost(parts?.[1] ?? '');
  const port = Number(parts?.[2]);
  return host === null || port > MAX_PORT ? null : { host, port };
}

/** The target of any other request to a proxy: an absolute http URL without user and fragment. Null for others. */
export function parseAbsolute(text: string): HttpTarget | null {
  if (!/^[\x21-\x7e]*$/.test(text)) return null;
  const parts = /^http:\/\/([^/?#@\\]+)([/?][^#]*)?$/i.exec(text);
  if (parts === null) return null;
  const target = parseHostField(parts[1] ?? '');
  const path = parts[2] ?? '/';
  return target === null ? null : { ...target, path: path.startsWith('/') ? path : `/${path}` };
}

/** The value of a Host header: the port may be left out. */
export function parseHostField(text: string): Target | null {
  const host = normaliseHost(text);
  return host === null ? parseAuthority(text) : { host, port: HTTP_PORT };
}

export function isSameTarget(a: Target, b: Target): boolean {
  return a.port === b.port && isSameHost(a.host, b.host);
}

/** As it stands in a Host header of HTTP. */
export function hostField({ host, port }: Target): string {
  return port === HTTP_PORT ? hostInUrl(host) : `${hostInUrl(host)}:${port}`;
}
