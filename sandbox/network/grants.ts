import { compileRules, type NetworkRules, type Rules } from './rules.ts';

/** What one call that a person approved may reach beside the rules of its process. */
export interface NetworkGrant {
  /** The number of the approval. */
  readonly approval: number;
  /** Each is a way of its own, with what narrows and refuses it. */
  readonly ways: readonly NetworkRules[];
}

/** A grant whose call is under way. */
export interface OpenGrant {
  readonly approval: number;
  readonly ways: readonly Rules[];
  /** Aborts when the call is over: what it opened is cut then. */
  readonly over: AbortSignal;
}

/** The grants of one process, each open as long as its call lasts. */
export class NetworkGrants {
  readonly #open = new Set<OpenGrant>();

  /** Opens one; call what it answers when the call is over. Throws RangeError for a rule that is none. */
  open({ approval, ways }: NetworkGrant): () => void {
    const end = new AbortController();
    const grant = { approval, ways: ways.map(compileRules), over: end.signal };
    this.#open.add(grant);
    return () => {
      this.#open.delete(grant);
      end.abort();
    };
  }

  get current(): readonly OpenGrant[] {
    return [...this.#open];
  }
}
