/**
 * The calls of one agent as it tells of them, and what follows from each message: a table of facts and verdicts without
 * time, journal or process. Whether a call may run is decided elsewhere and noted here.
 */
import { canonicalJson } from '../../audit/canonical.ts';
import { FREE_KINDS, type JudgedCall, judgedCalls } from './judged-call.ts';
import type { CallStatus, CallUpdate } from './messages.ts';

/** A judgement that has no outcome yet: the name of its intent in the journal. */
export interface OpenIntent {
  readonly intent: string;
  readonly judged: JudgedCall;
}

export interface AgentCall {
  readonly id: string;
  facts: CallUpdate;
  /** What was decided, by tool and arguments. */
  readonly decided: Map<string, 'allowed' | 'denied'>;
  /** It asked, and was told yes. */
  isGranted: boolean;
  /** Of a kind that has to ask; a kind that is told later does not take that back. */
  mustAsk: boolean;
  /** Why it may not run. */
  denial: string | null;
  /** Why what it asked for after its end may not run. */
  secondRefusal: string | null;
  open: OpenIntent[];
  hasEnded: boolean;
}

/** What is to be done about a call now. */
export type Next =
  | { readonly type: 'nothing' }
  /** Decide about these before anything else is read; then ask again. */
  | { readonly type: 'judge'; readonly calls: readonly JudgedCall[] }
  | { readonly type: 'violation'; readonly reason: string }
  | { readonly type: 'ended'; readonly outcome: 'ok' | 'error' };

const NOTHING: Next = { type: 'nothing' };

export interface BookOptions {
  /** Absolute; relative paths begin there. */
  readonly workspace: string;
  /** The agent says that a call runs, then asks, then really runs it: opencode. */
  readonly marksBeforeAsking: boolean;
}

export class CallBook {
  readonly #options: BookOptions;
  readonly #calls = new Map<string, AgentCall>();

  constructor(options: BookOptions) {
    this.#options = options;
  }

  /** Distinct ids so far. */
  get size(): number {
    return this.#calls.size;
  }

  /** Calls with an intent that has no outcome. */
  get open(): readonly AgentCall[] {
    return [...this.#calls.values()].filter(({ open }) => open.length > 0);
  }

  /** Takes what is told of a call; what it leaves out stays, and what has to ask is not made a thought or a read later. */
  note(update: CallUpdate): AgentCall {
    const mustAsk = update.kind !== undefined && !FREE_KINDS.has(update.kind);
    const known = this.#calls.get(update.id);
    if (known !== undefined) {
      const { kind } = known.facts;
      const isKept = known.mustAsk && !mustAsk && kind !== undefined;
      known.facts = { ...known.facts, ...update, ...(isKept ? { kind } : {}) };
      known.mustAsk ||= mustAsk;
      return known;
    }
    const call: AgentCall = {
      id: update.id,
      facts: update,
      decided: new Map(),
      isGranted: false,
      mustAsk,
      denial: null,
      secondRefusal: null,
      open: [],
      hasEnded: false,
    };
    this.#calls.set(update.id, call);
    return call;
  }

  /** What of a call nobody has decided about yet. */
  undecided({ facts, decided }: AgentCall): readonly JudgedCall[] {
    return judgedCalls(facts, this.#options.workspace).filter((judged) => !decided.has(keyOf(judged)));
  }

  decide(call: AgentCall, judged: JudgedCall, refusal: string | null): void {
    call.decided.set(keyOf(judged), refusal === null ? 'allowed' : 'denied');
    if (refusal !== null) call.denial ??= refusal;
  }

  /** What follows from the last message about a call. */
  next(call: AgentCall, told: CallStatus | undefined): Next {
    if (call.hasEnded) return afterEnd(call, told);
    switch (told) {
      case undefined:
      case 'pending':
        return NOTHING;
      case 'in_progress':
        return this.#running(call) ?? NOTHING;
      case 'completed':
        return this.#running(call, 'completed') ?? { type: 'ended', outcome: 'ok' };
      case 'failed':
        // One that was refused, or made no sense to the agent itself, looks the same as one that ran and failed.
        return { type: 'ended', outcome: 'error' };
    }
  }

  /** What stands against a call that runs or has run; null when nothing does. */
  #running(call: AgentCall, told: 'in_progress' | 'completed' = 'in_progress'): Next | null {
    if (call.denial !== null) return ranDenied(call.denial);
    if (!call.isGranted && (call.mustAsk || call.facts.kind === undefined)) {
      if (told === 'in_progress' && this.#options.marksBeforeAsking) return null;
      return { type: 'violation', reason: 'it ran without asking for permission' };
    }
    const calls = this.undecided(call);
    return calls.length === 0 ? null : { type: 'judge', calls };
  }
}

/** What ended may be told of again, but not begin again, nor have run after that was refused. */
function afterEnd({ secondRefusal }: AgentCall, told: CallStatus | undefined): Next {
  if (told === 'completed' && secondRefusal !== null) return ranDenied(secondRefusal);
  return told === 'in_progress' ? { type: 'violation', reason: 'it runs again after its end' } : NOTHING;
}

function ranDenied(denial: string): Next {
  return { type: 'violation', reason: `it ran although it was denied: ${denial}` };
}

function keyOf({ tool, args }: JudgedCall): string {
  return `${tool} ${canonicalJson(args)}`;
}
