import { type AddressClass, addressClass } from '../../../../sandbox/network/address.ts';
import { type Host, hostText, normaliseHost } from '../../../../sandbox/network/host.ts';

/** Where a URL leads, as far as its text says; names are resolved by the proxy, which holds them. */
export interface Destination {
  readonly spelled: string;
  /** Null: no host can be read out of it. */
  readonly host: string | null;
  readonly isAddress: boolean;
  readonly port: number | null;
  readonly addressClass: AddressClass;
  /** Why nothing may allow it; null when its meaning is plain. */
  readonly doubt: string | null;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Reads a URL after the WHATWG rules, and doubts what another reader may take otherwise. */
export function readUrl(text: string): Destination {
  const url = URL.parse(text);
  if (url === null) return unreadable(text, 'it is no URL');
  const port = url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? null) : Number(url.port);
  const host = normaliseHost(url.hostname);
  if (host === null) return { ...unreadable(text, `its host "${url.hostname}" cannot be read`), port };
  return { ...destination(text, host, port), doubt: doubtOf(text, url) };
}

/** A host as a program takes it: `host`, `host:port`, `user@host:path`. Null for what cannot be one. */
export function readHost(text: string): Destination | null {
  const [, name = '', port] = /^(?:[^@/\s]*@)?(\[[^\]]*\]|[^:/\s]+)(?::(\d{1,5})(?!\d))?/.exec(text) ?? [];
  const host = name === '' ? null : normaliseHost(name);
  return host === null ? null : destination(text, host, port === undefined ? null : Number(port));
}

function destination(spelled: string, host: Host, port: number | null): Destination {
  const name = hostText(host);
  const isAddress = host.kind === 'address';
  return {
    spelled,
    host: name,
    isAddress,
    port,
    addressClass: isAddress ? addressClass(name) : classOfName(name),
    doubt: null,
  };
}

/** Names that mean an address wherever they are resolved; of all others the proxy takes public addresses only. */
function classOfName(name: string): AddressClass {
  if (/(^|\.)localhost$/.test(name) || /^(localhost\.localdomain|ip6-(localhost|loopback))$/.test(name))
    return 'loopback';
  if (/^(instance-data|metadata)(\.|$)/.test(name)) return 'metadata';
  return /\.(local|internal|lan|home\.arpa)$/.test(name) ? 'private' : 'public';
}

function doubtOf(text: string, url: URL): string | null {
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return `its scheme "${url.protocol.slice(0, -1)}" is neither http nor https`;
  if (url.username !== '' || url.password !== '' || /^[^/?#]*\/\/[^/?#]*@/.test(text))
    return 'it holds a user';
  // These are taken out or turned round by the WHATWG rules, and kept by other readers.
  if (/[\s\\\p{Cc}\p{Cf}]/u.test(text)) return 'it holds blanks, backslashes or invisible characters';
  if (!/^https?:\/\/[^/]/i.test(text)) return 'its beginning is not http:// or https:// with a host';
  if (/%/.test(text.slice(0, text.length - url.pathname.length).split('/')[2] ?? ''))
    return 'its host is percent-encoded';
  return null;
}

function unreadable(spelled: string, doubt: string): Destination {
  return { spelled, host: null, isAddress: false, port: null, addressClass: 'reserved', doubt };
}
