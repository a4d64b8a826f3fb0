import { isIPv4, isIPv6 } from 'node:net';

/** What an address leads to. Only `public` may be reached without a rule that lists the very address. */
export type AddressClass =
  | 'public'
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'shared'
  | 'link-local'
  | 'metadata'
  | 'multicast'
  | 'documentation'
  /** It carries an IPv4 address to a translator or tunnel that nobody should need any more. */
  | 'transition'
  | 'reserved';

/** IANA's special-purpose registries for IPv4 (RFC 6890 and after); the first entry that matches counts. */
const IPV4: readonly (readonly [string, AddressClass])[] = [
  ['0.0.0.0/8', 'unspecified'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'shared'],
  ['127.0.0.0/8', 'loopback'],
  // Outside the reserved ranges by its look, but it is the host's own agent on one cloud.
  ['168.63.129.16/32', 'metadata'],
  ['169.254.169.254/32', 'metadata'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'],
  ['192.0.2.0/24', 'documentation'],
  ['192.88.99.0/24', 'transition'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'reserved'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
];

/** The same for IPv6, where only 2000::/3 was ever given out: all that is not in this table is reserved. */
const IPV6: readonly (readonly [string, AddressClass])[] = [
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['::/96', 'transition'],
  ['64:ff9b:1::/48', 'transition'],
  ['2001:db8::/32', 'documentation'],
  // Teredo, ORCHID, benchmarks and other protocol assignments.
  ['2001::/23', 'transition'],
  ['2002::/16', 'transition'],
  ['3fff::/20', 'documentation'],
  ['2000::/3', 'public'],
  ['fd00:ec2::254/128', 'metadata'],
  ['fc00::/7', 'private'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'private'],
  ['ff00::/8', 'multicast'],
];

/** IPv4-mapped, and the well-known prefix of NAT64: both stand for the IPv4 address in their last four bytes. */
const EMBEDDING = ['::ffff:0:0/96', '64:ff9b::/96'];

/**
 * The one way to write an address: dotted decimal, or the form of RFC 5952; an IPv4-mapped address is its IPv4
 * address. Null for what is no address, or has a zone.
 */
export function canonicalAddress(text: string): string | null {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes('%')) return null;
  const bytes = ipv6Bytes(text);
  if (isWithin(bytes, MAPPED)) return bytes.slice(12).join('.');
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

/** The class of a canonical address; `reserved` for anything else. */
export function addressClass(address: string): AddressClass {
  if (isIPv4(address)) return classIn(IPV4_TABLE, ipv4Bytes(address)) ?? 'public';
  if (canonicalAddress(address) === null) return 'reserved';
  const bytes = ipv6Bytes(address);
  if (EMBEDDING_BLOCKS.some((block) => isWithin(bytes, block)))
    return addressClass(bytes.slice(12).join('.'));
  return classIn(IPV6_TABLE, bytes) ?? 'reserved';
}

interface Block {
  readonly bytes: readonly number[];
  readonly bits: number;
}

const MAPPED = blockOf('::ffff:0:0/96');
const EMBEDDING_BLOCKS = EMBEDDING.map(blockOf);
const IPV4_TABLE = IPV4.map(([block, name]) => [blockOf(block), name] as const);
const IPV6_TABLE = IPV6.map(([block, name]) => [blockOf(block), name] as const);

function classIn(
  table: readonly (readonly [Block, AddressClass])[],
  bytes: readonly number[],
): AddressClass | null {
  return table.find(([block]) => isWithin(bytes, block))?.[1] ?? null;
}

function isWithin(bytes: readonly number[], block: Block): boolean {
  return block.bytes.every((byte, index) => {
    const bits = Math.min(8, Math.max(0, block.bits - index * 8));
    return ((byte ^ (bytes[index] ?? 0)) & (0xff00 >> bits) & 0xff) === 0;
  });
}

function blockOf(text: string): Block {
  const [address = '', bits] = text.split('/');
  return { bytes: isIPv4(address) ? ipv4Bytes(address) : ipv6Bytes(address), bits: Number(bits) };
}

function ipv4Bytes(address: string): number[] {
  return address.split('.').map(Number);
}

/** Of any valid form: `::` in it, or dotted decimal at its end. */
function ipv6Bytes(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const front = groups(head);
  const back = groups(tail ?? '');
  const gap = tail === undefined ? 0 : 16 - front.length - back.length;
  return [...front, ...new Array<number>(gap).fill(0), ...back];
}

function groups(text: string): number[] {
  return text
    .split(':')
    .filter((part) => part !== '')
    .flatMap((part) => {
      if (part.includes('.')) return ipv4Bytes(part);
      const value = Number.parseInt(part, 16);
      return [value >> 8, value & 0xff];
    });
}
