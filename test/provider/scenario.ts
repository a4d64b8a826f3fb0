/** What a mock provider plays: a list of turns, one a request, with what goes wrong in each. Plain JSON. */

export interface Scenario {
  /** Chooses where answers are cut into chunks. */
  readonly seed?: number;
  readonly turns: readonly MockTurn[];
  /** When the turns are over: the last one again (default), or HTTP 500. */
  readonly after?: 'repeat' | 'fail';
}

export interface MockTurn {
  readonly text?: string;
  readonly calls?: readonly MockCall[];
  /** Of the wire; by default what fits the calls. Null: never sent. */
  readonly finish?: string | null;
  /** Null: the provider says nothing of it. */
  readonly usage?: { readonly in: number; readonly out: number } | null;
  /** Characters of reasoning before the answer. */
  readonly reasoning?: number;
  readonly fault?: Fault;
}

export interface MockCall {
  readonly name: string;
  /** A text goes over the wire as it is, malformed or not. */
  readonly args?: Readonly<Record<string, unknown>> | string;
  readonly id?: string;
}

export type Fault =
  /** An HTTP error. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfter?: string;
      /** What it says; by default the number. */
      readonly message?: string;
    }
  | { readonly kind: 'hang_before_headers' }
  /** The first half is sent, then nothing. */
  | { readonly kind: 'hang_midway' }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /** The connection is reset in the middle. */
  | { readonly kind: 'reset' }
  /** The answer ends in the middle, properly closed. */
  | { readonly kind: 'truncated' }
  /** The connection is closed after so many bytes of an answer that was to be longer. */
  | { readonly kind: 'broken'; readonly afterBytes: number }
  /** One event in the middle is no JSON; for Bedrock its checksum is wrong. */
  | { readonly kind: 'corrupt' }
  /** Pieces of parallel calls take turns. */
  | { readonly kind: 'interleaved' }
  /** The first event of the message comes twice. */
  | { readonly kind: 'duplicated_start' };

/** The arguments as they go over the wire. */
export function argumentsText({ args = {} }: MockCall): string {
  return typeof args === 'string' ? args : JSON.stringify(args);
}

export function callId(call: MockCall, index: number, turn: number): string {
  return call.id ?? `call_${turn}_${index}`;
}
