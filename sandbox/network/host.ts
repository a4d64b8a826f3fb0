import { canonicalAddress } from './address.ts';

/** Where somebody wants to go, in the one form that rules are matched against and names are looked up by. */
export type Host =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'address'; readonly address: string };

const MAX_NAME = 253;
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** None of these is in a host; `%` would be decoded by some and not by others. */
const FORBIDDEN = /[\s/?#@\\%\p{Cc}]/u;

/**
 * Normalises a host: lower case, punycode, no dot at the end. What any resolver would take for an address is one:
 * `0x7f.1`, `2130706433` and `[::ffff:127.0.0.1]` are 127.0.0.1. Null for what is no host.
 */
export function normaliseHost(text: string): Host | null {
  const inner = /^\[([^[\]]*)\]$/.exec(text)?.[1];
  if (inner !== undefined) return addressHost(inner);
  if (text === '' || FORBIDDEN.test(text) || /[:[\]]/.test(text)) return null;
  const url = URL.parse(`http://${text}`);
  if (url === null) return null;
  const name = url.hostname.replace(/\.$/, '');
  const address = addressHost(name);
  if (address !== null) return address;
  if (name.length > MAX_NAME || !name.split('.').every((label) => LABEL.test(label))) return null;
  // The resolver of the C library would still read a last label of digits as part of an address.
  return /(^|\.)(\d+|0x[0-9a-f]*)$/.test(name) ? null : { kind: 'name', name };
}

/** As it stands in a rule or a message. */
export function hostText(host: Host): string {
  return host.kind === 'name' ? host.name : host.address;
}

/** With brackets where a port may follow. */
export function hostInUrl(host: Host): string {
  const text = hostText(host);
  return text.includes(':') ? `[${text}]` : text;
}

export function isSameHost(a: Host, b: Host): boolean {
  return a.kind === b.kind && hostText(a) === hostText(b);
}

function addressHost(text: string): Host | null {
  const address = canonicalAddress(text);
  return address === null ? null : { kind: 'address', address };
}
