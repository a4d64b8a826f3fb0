import type { NetworkGrants } from './grants.ts';
import type { NetworkRule, NetworkRules } from './rules.ts';

/** Why something was not let through, or ended before its time. */
export type NetworkReason =
  | 'host_not_listed'
  | 'port_not_listed'
  /** A rule refuses it, whatever is listed. */
  | 'host_refused'
  /** The name leads to no address that may be reached. */
  | 'address_refused'
  | 'unresolved'
  | 'unreachable'
  | 'host_differs'
  /** The TLS server name is not the host of the tunnel. */
  | 'name_differs'
  | 'framing'
  | 'malformed'
  | 'too_many'
  | 'too_large'
  | 'not_recorded'
  | 'broken'
  | 'idle'
  /** The call that it was open for is over. */
  | 'call_ended'
  | 'step_ended';

/** Whether one way out is open; told before the first byte goes, and the way waits for the answer. */
export interface NetworkDecision {
  readonly type: 'decided';
  /** Counts from 1 within an attempt; the same in its `ended`. */
  readonly connection: number;
  readonly outcome: 'allowed' | 'refused';
  readonly method: 'connect' | 'http' | null;
  /** In normal form; null where none could be read. */
  readonly host: string | null;
  readonly port: number | null;
  /** What the name led to; when allowed only those that may be connected to. */
  readonly addresses: readonly string[];
  readonly rule: NetworkRule | null;
  readonly reason: NetworkReason | null;
  /** The number of the approval that opened it; not there where the rules alone did. */
  readonly approval?: number;
}

/** What went through an open way. */
export interface NetworkEnd {
  readonly type: 'ended';
  readonly connection: number;
  /** That was connected to; null when none answered. */
  readonly address: string | null;
  readonly bytesOut: number;
  readonly bytesIn: number;
  /** Null for an end that one of the two sides chose. */
  readonly reason: NetworkReason | null;
}

export type NetworkEvent = NetworkDecision | NetworkEnd;

/** What a step may reach, and who hears of it. */
export interface NetworkAccess extends NetworkRules {
  /** What calls may reach beside the rules; with it there is a proxy also where the rules open nothing. */
  readonly grants?: NetworkGrants;
  /** When it throws or rejects on a decision, nothing is let through: what cannot be recorded does not happen. */
  readonly onEvent: (event: NetworkEvent) => void | Promise<void>;
  /** All addresses of a name; by default as the system finds them. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
  /** Whether an address is this machine's; by default those of its interfaces are. */
  readonly isOwn?: (address: string) => boolean;
  readonly limits?: Partial<ProxyLimits>;
}

export interface ProxyLimits {
  /** Connections of the step at a time; each may have one out. */
  readonly connections: number;
  /** Of one process. Each is a record: what comes after them is refused without one. */
  readonly decisions: number;
  readonly headerBytes: number;
  /** Of one request in plain HTTP. */
  readonly bodyBytes: number;
  /** For the headers of a request, or the first bytes in a tunnel. */
  readonly openingMs: number;
  readonly resolveMs: number;
  readonly connectMs: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
}

export const PROXY_LIMITS: ProxyLimits = {
  connections: 64,
  decisions: 10_000,
  headerBytes: 16 * 1024,
  bodyBytes: 256 * 1024 * 1024,
  openingMs: 10_000,
  resolveMs: 10_000,
  connectMs: 10_000,
  idleMs: 5 * 60_000,
};
