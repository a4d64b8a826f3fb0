/** One session with an agent that speaks the Agent Client Protocol: what it says, and what becomes of each message. */
import type { Json, JsonObject } from '../../definition/workflow.ts';
import { startTimer } from '../../skills/waits.ts';
import type { ReportedUsage } from '../model/model.ts';
import { Cancelled } from '../run.ts';
import type { AgentCall, CallBook } from './call-book.ts';
import type { CallJudge } from './call-judge.ts';
import {
  BadMessage,
  type CallUpdate,
  checkVersion,
  PROTOCOL_VERSION,
  readPermission,
  readPromptEnd,
  readSession,
  readUpdate,
} from './messages.ts';
import { failure, RpcPeer } from './peer.ts';
import type { AcpProfile } from './profiles.ts';

export interface SessionParts {
  readonly profile: AcpProfile;
  readonly workspace: string;
  readonly book: CallBook;
  readonly judge: CallJudge;
  readonly signal: AbortSignal;
  /** Makes words of the agent fit to be shown; before they are cut, so that no half of a secret is left. */
  readonly mask: (text: string) => string;
  readonly send: (line: string) => void;
  readonly hold: (isHeld: boolean) => void;
}

export interface PromptEnd {
  /** What it said last, after its last call of a tool. */
  readonly text: string;
  readonly stopReason: string;
  readonly usage: ReportedUsage;
  /** Characters of all that it said. */
  readonly length: number;
}

const START_TIMEOUT_MS = 60_000;
/** Without a word, and without a call that is under way. */
const IDLE_TIMEOUT_MS = 600_000;
const MAX_TEXT_LENGTH = 8 * 1024 * 1024;
/** Distinct calls that it tells of in one attempt. */
const MAX_ANNOUNCED = 5000;
/** Of everything that it says in one attempt. */
const MAX_BYTES = 256 * 1024 * 1024;

export class AcpSession {
  readonly peer: RpcPeer;
  readonly #parts: SessionParts;
  #id: string | null = null;
  /** The mode that was asserted. */
  #mode: string | null = null;
  /** Those that it offered. */
  #modes: readonly string[] = [];
  /** The last mode that it told of by itself. */
  #toldMode: string | null = null;
  #isPrompting = false;
  #segments: string[] = [];
  #length = 0;
  #bytes = 0;
  #heardAt = 0;
  #seen = 0;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.peer = new RpcPeer(parts.profile.name, {
      notified: (method, params) => (method === 'session/update' ? this.#updated(params) : undefined),
      asked: async (method, params) =>
        method === 'session/request_permission' ? this.#asked(params) : undefined,
      hold: parts.hold,
      mask: parts.mask,
      send: parts.send,
    });
  }

  receive(line: string): void {
    this.#heardAt = performance.now();
    this.#bytes += line.length;
    if (this.#bytes > MAX_BYTES) this.peer.fail(failure(`${this.#name} said more than ${MAX_BYTES} bytes`));
    else this.peer.receive(line);
  }

  /** Up to where a prompt may be sent. Throws AGENT_FAILED. */
  async open(): Promise<void> {
    const { profile, workspace } = this.#parts;
    const initialized = await this.peer.request(
      'initialize',
      {
        protocolVersion: PROTOCOL_VERSION,
        // Its files and commands are its own: it sees what its sandbox shows.
        clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
        clientInfo: { name: 'q-workflow', title: 'q workflow', version: '1' },
      },
      START_TIMEOUT_MS,
    );
    this.#read(() => checkVersion(initialized));
    const made = await this.peer.request(
      'session/new',
      { cwd: workspace, mcpServers: [], ...profile.session },
      START_TIMEOUT_MS,
    );
    const { id, modes } = this.#read(() => readSession(made));
    this.#id = id;
    this.#modes = modes ?? [];
    if (profile.mode !== null) await this.#assertMode(id, profile.mode, modes);
  }

  /** One turn of it. Throws AGENT_FAILED, AGENT_VIOLATION, AGENT_LIMIT, AGENT_STUCK and KILL_SWITCH. */
  async prompt(text: string): Promise<PromptEnd> {
    this.#segments = [''];
    this.#length = 0;
    this.#isPrompting = true;
    const stopWatch = this.#watchSilence();
    try {
      const params: JsonObject = { sessionId: this.#id, prompt: [{ type: 'text', text }] };
      const result = await this.peer.request('session/prompt', params, null);
      const { stopReason, usage } = this.#read(() => readPromptEnd(result));
      const said = this.#segments.filter((segment) => segment.trim() !== '');
      return { text: said.at(-1) ?? '', stopReason, usage, length: this.#length };
    } finally {
      stopWatch();
      this.#isPrompting = false;
    }
  }

  /** Tells it to stop; also after a failure, when nothing else is sent any more. */
  cancel(): void {
    if (this.#id === null) return;
    const message = { jsonrpc: '2.0', method: 'session/cancel', params: { sessionId: this.#id } };
    this.#parts.send(JSON.stringify(message));
  }

  get #name(): string {
    return this.#parts.profile.name;
  }

  async #assertMode(session: string, mode: string, offered: readonly string[] | null): Promise<void> {
    if (!(offered ?? []).includes(mode)) {
      const list = (offered ?? []).join(', ') || 'none';
      throw failure(
        `${this.#name} has no mode "${mode}" (its modes: ${list}), so nothing says that it asks before it acts`,
      );
    }
    this.#toldMode = null;
    await this.peer.request('session/set_mode', { sessionId: session, modeId: mode }, START_TIMEOUT_MS);
    if (this.#toldMode !== null && this.#toldMode !== mode)
      throw failure(
        `${this.#name} was told to be in the mode "${mode}" and is in "${String(this.#toldMode)}"`,
      );
    this.#mode = mode;
  }

  #updated(params: Json | undefined): void | Promise<void> {
    const { session, update } = readUpdate(params);
    if (this.#id !== null && session !== this.#id)
      throw new BadMessage(`it speaks of the session ${JSON.stringify(session)}, which nobody opened`);
    switch (update.type) {
      case 'text':
        return this.#said(update.text);
      case 'mode':
        return this.#changedMode(update.mode);
      case 'mode-option':
        // An option may have values of its own; those of modes are what they say.
        return this.#modes.includes(update.mode) ? this.#changedMode(update.mode) : undefined;
      case 'call':
        return this.#called(update.call);
      case 'other':
        return undefined;
    }
  }

  #said(text: string): void {
    if (!this.#isPrompting) return;
    this.#length += text.length;
    if (this.#length > MAX_TEXT_LENGTH)
      throw failure(`${this.#name} said more than ${MAX_TEXT_LENGTH} characters in one answer`);
    this.#segments[this.#segments.length - 1] += text;
  }

  #changedMode(mode: string): void {
    this.#toldMode = mode;
    if (this.#mode !== null && mode !== this.#mode)
      throw this.#parts.judge.violated(null, this.#name, `it left the mode "${this.#mode}" for "${mode}"`);
  }

  async #called(update: CallUpdate): Promise<void> {
    const { book, judge } = this.#parts;
    const call = this.#note(update);
    for (;;) {
      const next = book.next(call, update.status);
      switch (next.type) {
        case 'nothing':
          return;
        case 'judge':
          await judge.decide(call, next.calls, null);
          break;
        case 'violation':
          throw judge.violated(call, this.#name, next.reason);
        case 'ended':
          judge.end(call, next.outcome);
          return;
      }
    }
  }

  async #asked(params: Json | undefined): Promise<Json> {
    const { book, judge, signal } = this.#parts;
    const { session, call: update, options } = readPermission(params);
    if (session !== this.#id || !this.#isPrompting)
      throw new BadMessage(
        `it asks for a permission in the session ${JSON.stringify(session)}, which has no prompt`,
      );
    const call = this.#note(update);
    const optionOf = (kind: string): string | null =>
      options.find((option) => option.kind === kind)?.id ?? null;
    const allow = optionOf('allow_once');
    const cancelled: Json = { outcome: { outcome: 'cancelled' } };
    if (signal.aborted) return cancelled;
    const refusal = call.hasEnded
      ? 'it asks for what has ended'
      : allow === null
        ? 'it offers no way to allow this once'
        : null;
    try {
      await judge.decide(call, book.undecided(call), refusal);
    } catch (error) {
      if (error instanceof Cancelled) return cancelled;
      throw error;
    }
    if (call.hasEnded) call.secondRefusal = refusal;
    const isAllowed = refusal === null && call.denial === null;
    if (isAllowed) call.isGranted = true;
    const chosen = isAllowed ? allow : optionOf('reject_once');
    return chosen === null ? cancelled : { outcome: { outcome: 'selected', optionId: chosen } };
  }

  /** A call that begins ends what was said before it. */
  #note(update: CallUpdate): AgentCall {
    if (this.#id === null) throw new BadMessage('it tells of a call before there is a session');
    const { book } = this.#parts;
    const call = book.note(update);
    if (book.size > this.#seen && this.#segments.at(-1) !== '') this.#segments.push('');
    this.#seen = book.size;
    if (book.size > MAX_ANNOUNCED)
      throw failure(`${this.#name} told of more than ${MAX_ANNOUNCED} calls in one attempt`);
    return call;
  }

  #watchSilence(): () => void {
    let callOff: () => void = () => undefined;
    const look = (waitMs: number): void => {
      callOff = startTimer(waitMs, () => {
        const silentMs = performance.now() - this.#heardAt;
        if (silentMs < IDLE_TIMEOUT_MS) look(IDLE_TIMEOUT_MS - silentMs);
        else if (this.#parts.book.open.length > 0) look(IDLE_TIMEOUT_MS);
        else this.peer.fail(failure(`${this.#name} said nothing for ${IDLE_TIMEOUT_MS / 1000} s`));
      });
    };
    this.#heardAt = performance.now();
    look(IDLE_TIMEOUT_MS);
    return () => callOff();
  }

  /** What cannot be read of an answer is a fault of the agent. */
  #read<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof BadMessage) throw failure(`${this.#name}: ${error.message}`);
      throw error;
    }
  }
}
