import type { Socket } from 'node:net';
import { Connections } from './connections.ts';
import {
  type NetworkAccess,
  type NetworkDecision,
  type NetworkEnd,
  type NetworkReason,
  PROXY_LIMITS,
  type ProxyLimits,
} from './events.ts';
import type { OpenGrant } from './grants.ts';
import { hostText } from './host.ts';
import { compileRules, type Rules } from './rules.ts';
import { ownAddresses, systemResolve } from './system-names.ts';
import type { Target } from './target.ts';
import { openWay, waysTo } from './ways.ts';

/** A way that is not open. `status` is the answer in HTTP. */
export class Refusal extends Error {
  readonly reason: NetworkReason;
  readonly status: number;

  constructor(reason: NetworkReason, status: number, message: string) {
    super(message);
    this.reason = reason;
    this.status = status;
  }
}

/** A connection to a server that may be reached. */
export interface Route {
  readonly connection: number;
  readonly socket: Socket;
  /** Ends it for a reason of ours. */
  cut(reason: NetworkReason): void;
}

type Said = Pick<NetworkDecision, 'connection' | 'method'> & { readonly target: Target | null };

/** More are not tried; a name with hundreds of addresses is no reason for hundreds of connections. */
const MAX_ADDRESSES = 4;

/** The one way out of a step: decides, has it recorded, resolves and connects. */
export class Router {
  readonly limits: ProxyLimits;
  readonly #access: NetworkAccess;
  readonly #rules: Rules;
  readonly #connections = new Connections();
  #count = 0;

  /** Throws RangeError for a rule that is none. */
  constructor(access: NetworkAccess) {
    this.#access = access;
    this.#rules = compileRules(access);
    this.limits = { ...PROXY_LIMITS, ...access.limits };
  }

  /**
   * Connects to a target. A name is looked up once, here, and what is connected to is an address that was checked.
   * Rejects with a Refusal.
   */
  open(method: 'connect' | 'http', target: Target): Promise<Route> {
    return this.#connections.track(this.#open(method, target));
  }

  /** Records that something was refused before it came to a decision on a target; answers what to throw. */
  refuse(
    method: Said['method'],
    target: Target | null,
    reason: NetworkReason,
    why: string,
  ): Promise<Refusal> {
    this.#count += 1;
    const refusal = this.#refuse({ connection: this.#count, method, target }, reason, 400, why);
    return this.#connections.track(refusal);
  }

  /** Cuts what is open; resolves when all ends are told. */
  async close(): Promise<void> {
    await this.#connections.close();
  }

  async #open(method: 'connect' | 'http', target: Target): Promise<Route> {
    this.#count += 1;
    const said: Said = { connection: this.#count, method, target };
    const where = `${hostText(target.host)}:${target.port}`;
    if (this.#connections.isClosed)
      throw new Refusal('step_ended', 502, 'the network of this step is closed');
    const listed = waysTo(target, this.#rules, this.#access.grants?.current ?? []);
    if (!listed.isListed)
      throw await this.#refuse(said, listed.reason, 403, whyNot(where, listed.reason), {
        rule: listed.rule,
      });
    const { rule } = listed.ways[0];
    const resolved = await this.#resolve(target);
    if (resolved === null)
      throw await this.#refuse(said, 'unresolved', 502, `${where} was not found`, { rule });
    const isOwn = this.#access.isOwn ?? ownAddresses();
    const open = openWay(listed.ways, target, resolved, isOwn);
    if (open === null) {
      const why = `${where} leads to no address that this step may reach`;
      throw await this.#refuse(said, 'address_refused', 403, why, { rule, addresses: resolved });
    }
    const { grant, rule: by } = open.way;
    const addresses = open.addresses.slice(0, MAX_ADDRESSES);
    const approved = grant === null ? {} : { approval: grant.approval };
    await this.#record({ ...said, outcome: 'allowed', addresses, rule: by, reason: null, ...approved });
    for (const address of addresses) {
      if (grant?.over.aborted === true) break;
      const socket = await this.#connections.dial(address, target.port, this.limits.connectMs);
      if (socket !== null) return this.#watch(said.connection, address, socket, grant);
    }
    const over = grant?.over.aborted === true ? 'call_ended' : 'unreachable';
    const reason = this.#connections.isClosed ? 'step_ended' : over;
    this.#tell({ connection: said.connection, address: null, bytesOut: 0, bytesIn: 0, reason });
    throw new Refusal(reason, 502, `${where} does not answer`);
  }

  async #resolve({ host }: Target): Promise<readonly string[] | null> {
    if (host.kind === 'address') return [host.address];
    const late = Promise.withResolvers<null>();
    const timer = setTimeout(() => late.resolve(null), this.limits.resolveMs);
    const found = (this.#access.resolve ?? systemResolve)(host.name).catch(() => null);
    const addresses = await Promise.race([found, late.promise, this.#connections.end]);
    clearTimeout(timer);
    return addresses;
  }

  #watch(connection: number, address: string, socket: Socket, grant: OpenGrant | null): Route {
    let why: NetworkReason | null = null;
    const cut = (reason: NetworkReason): void => {
      why ??= reason;
      socket.destroy();
    };
    socket.setTimeout(this.limits.idleMs, () => cut('idle'));
    const ended = (): void => cut('call_ended');
    if (grant?.over.aborted === true) ended();
    grant?.over.addEventListener('abort', ended, { once: true });
    socket.once('error', () => {
      why ??= 'broken';
    });
    socket.once('close', () => {
      grant?.over.removeEventListener('abort', ended);
      const reason = why ?? (this.#connections.isClosed ? 'step_ended' : null);
      const { bytesWritten: bytesOut, bytesRead: bytesIn } = socket;
      this.#tell({ connection, address, bytesOut, bytesIn, reason });
    });
    return { connection, socket, cut };
  }

  async #refuse(
    said: Said,
    reason: NetworkReason,
    status: number,
    why: string,
    known: Partial<Pick<NetworkDecision, 'rule' | 'addresses'>> = {},
  ): Promise<Refusal> {
    await this.#record({ ...said, outcome: 'refused', addresses: [], rule: null, ...known, reason });
    return new Refusal(reason, status, why);
  }

  async #record({
    target,
    ...decision
  }: Said & Omit<NetworkDecision, 'type' | 'host' | 'port'>): Promise<void> {
    const host = target === null ? null : hostText(target.host);
    const { decisions } = this.limits;
    const isOver = decision.connection > decisions;
    const over = { outcome: 'refused', addresses: [], rule: null, reason: 'too_many' } as const;
    if (decision.connection > decisions + 1) throw tooMany(decisions);
    const port = target?.port ?? null;
    try {
      await this.#access.onEvent({ type: 'decided', ...decision, ...(isOver ? over : {}), host, port });
    } catch (error) {
      throw new Refusal('not_recorded', 502, `the decision could not be recorded: ${String(error)}`);
    }
    if (isOver) throw tooMany(decisions);
  }

  #tell(end: Omit<NetworkEnd, 'type'>): void {
    const told = (async () => {
      await this.#access.onEvent({ type: 'ended', ...end });
    })().catch(() => {
      // This way is closed already. Without its end on record no other one is opened.
      this.#connections.shut();
    });
    void this.#connections.track(told);
  }
}

function tooMany(decisions: number): Refusal {
  return new Refusal('too_many', 429, `this process has asked for more than ${decisions} connections`);
}

function whyNot(where: string, reason: NetworkReason): string {
  return reason === 'host_refused'
    ? `${where} is refused by a policy`
    : `${where} is not in the list of this step`;
}
