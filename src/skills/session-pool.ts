import type { Scope } from '../../sandbox/isolation.ts';
import type { StepSandbox } from '../../sandbox/launcher/launch.ts';
import type { JsonObject } from '../definition/workflow.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { parseJsonObject, textFields } from './result.ts';
import type { CodeResult } from './run-code.ts';
import { Session, type SessionCall, type SessionPlace } from './session.ts';
import type { Skill } from './skill.ts';
import { skillTimeoutMs } from './timeout.ts';
import { onAbort, startTimer } from './waits.ts';

export interface SessionPoolOptions extends Omit<SessionPlace, 'graceMs'> {
  /** A scope for one session process; the pool removes it. `name` is unique in the pool. */
  readonly openScope: (name: string, skill: Skill) => Scope;
  readonly graceMs?: number;
  /** A session could not be ended, or its scope not be removed. The instance removes what is left with itself. */
  readonly onLeftover: (error: unknown) => void;
}

export interface SessionRequest extends SessionCall {
  readonly skill: Skill;
  /** Steps of different tiers or networks never share a process. */
  readonly sandbox: StepSandbox;
  readonly outputs: readonly string[];
  /** For waiting and the call together; the smaller of it and the skill's counts. */
  readonly timeoutMs: number | null;
  readonly signal: AbortSignal;
}

type Asked =
  | { readonly kind: 'reply'; readonly text: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'cancelled' };

interface Lane {
  readonly skill: Skill;
  readonly sandbox: StepSandbox;
  /** Sessions that exist or are being started. */
  count: number;
  readonly idle: { readonly session: Session; readonly stopTimer: () => void }[];
  readonly waiting: ((session: Session | null) => void)[];
}

/**
 * The sessions of one instance: each skill has up to `max_sessions` processes that live from call to call, until they
 * are idle for `session_timeout` or the pool closes. A call that timed out or was cancelled takes its process with
 * it, since nobody knows what that one still does; the next call starts a fresh one.
 */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  readonly #lanes = new Map<string, Lane>();
  /** Each with the lane it belongs to. */
  readonly #sessions = new Map<Session, Lane>();
  readonly #closings = new Set<Promise<void>>();
  #started = 0;
  #isClosed = false;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
  }

  /** Session processes that are alive: an instance with one may not be let go while it waits. */
  get openCount(): number {
    return this.#sessions.size;
  }

  /**
   * Sends the values to a session of the skill, waiting for a free one. Rejects with SESSION_LIMIT when none became
   * free in time, STEP_TIMEOUT when it did not answer, SESSION_CLOSED, STEP_OOM, OUTPUT_INVALID or SPAWN_FAILED.
   */
  async call(request: SessionRequest): Promise<CodeResult> {
    const { skill } = request;
    const startedAt = performance.now();
    const ended = Promise.withResolvers<'timeout' | 'cancelled'>();
    const timeoutMs = skillTimeoutMs(skill, request.timeoutMs);
    const release = [
      startTimer(timeoutMs, () => ended.resolve('timeout')),
      onAbort(request.signal, () => ended.resolve('cancelled')),
    ];
    try {
      const session = await this.#acquire(this.#lane(skill, request.sandbox), ended.promise);
      if (session === 'cancelled') return { kind: 'cancelled', survivors: [] };
      if (session === 'timeout') {
        const message = `skill "${skill.name}": no session became free in ${seconds(timeoutMs)}; it allows ${skill.session.maxSessions}`;
        throw new WorkflowError('SESSION_LIMIT', message);
      }
      const line = await this.#ask(session, request, ended.promise);
      if (line.kind === 'cancelled') return { kind: 'cancelled', survivors: [] };
      if (line.kind === 'timeout') {
        const message = `skill "${skill.name}": the session did not answer in ${seconds(timeoutMs)} and was killed`;
        throw new WorkflowError('STEP_TIMEOUT', message, { details: { timeout_ms: timeoutMs } });
      }
      const result = replyResult(line.text, Math.round(performance.now() - startedAt), request.outputs);
      return { kind: 'completed', result, warnings: [], usage: null };
    } finally {
      for (const free of release) free();
    }
  }

  /** Ends every session and removes its scope; calls in flight reject with SESSION_CLOSED. No call after it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const lane of this.#lanes.values()) {
      for (const { stopTimer } of lane.idle) stopTimer();
      for (const wake of lane.waiting.splice(0)) wake(null);
    }
    const endings = [...this.#sessions.keys()].map((session) => this.#ended(() => session.close()));
    await Promise.all([...endings, ...this.#closings]);
    this.#sessions.clear();
  }

  async #ask(
    session: Session,
    request: SessionRequest,
    ended: Promise<'timeout' | 'cancelled'>,
  ): Promise<Asked> {
    try {
      const reply = session.call(request).then((text) => ({ kind: 'reply' as const, text }));
      const outcome = await Promise.race<Asked>([reply, ended.then((kind) => ({ kind }))]);
      if (outcome.kind !== 'reply') {
        reply.catch(() => outcome.kind); // It is killed below, so this reply ends as SESSION_CLOSED: told already.
        await this.#drop(session, () => session.kill());
      }
      return outcome;
    } finally {
      await this.#giveBack(session);
    }
  }

  async #acquire(
    lane: Lane,
    ended: Promise<'timeout' | 'cancelled'>,
  ): Promise<Session | 'timeout' | 'cancelled'> {
    const { skill } = lane;
    for (let idle = lane.idle.pop(); idle !== undefined; idle = lane.idle.pop()) {
      idle.stopTimer();
      const { session } = idle;
      if (session.isUsable) return session;
      await this.#drop(session, () => session.close());
    }
    if (this.#isClosed) throw closed(skill);
    if (lane.count < skill.session.maxSessions) return await this.#start(lane);
    const turn = Promise.withResolvers<Session | null>();
    lane.waiting.push(turn.resolve);
    const got = await Promise.race([turn.promise, ended]);
    if (got === 'timeout' || got === 'cancelled') {
      const place = lane.waiting.indexOf(turn.resolve);
      if (place !== -1) lane.waiting.splice(place, 1);
      // Handed to us in the same moment: pass it on.
      else await turn.promise.then((session) => (session === null ? undefined : this.#giveBack(session)));
      return got;
    }
    return got ?? (await this.#acquire(lane, ended));
  }

  async #start(lane: Lane): Promise<Session> {
    const { skill, sandbox } = lane;
    lane.count++;
    this.#started++;
    let scope: Scope | null = null;
    try {
      scope = this.#options.openScope(`session-${skill.name}-${this.#started}`, skill);
      const session = await Session.start(skill, scope, sandbox, { graceMs: 2000, ...this.#options });
      this.#sessions.set(session, lane);
      return session;
    } catch (error) {
      lane.count--;
      lane.waiting.shift()?.(null);
      await scope?.remove();
      throw error;
    }
  }

  async #giveBack(session: Session): Promise<void> {
    const lane = this.#sessions.get(session);
    if (lane === undefined) return;
    if (!session.isUsable || this.#isClosed) {
      await this.#drop(session, () => session.close());
      return;
    }
    const next = lane.waiting.shift();
    if (next !== undefined) {
      next(session);
      return;
    }
    const entry = {
      session,
      stopTimer: startTimer(lane.skill.session.ttlMs, () => this.#expire(lane, session)),
    };
    lane.idle.push(entry);
  }

  #expire(lane: Lane, session: Session): void {
    const place = lane.idle.findIndex((entry) => entry.session === session);
    if (place === -1) return;
    lane.idle.splice(place, 1);
    const closing = this.#drop(session, () => session.close());
    this.#closings.add(closing);
    void closing.finally(() => this.#closings.delete(closing));
  }

  /** Its place is free only when it is really gone, or cannot be ended. */
  async #drop(session: Session, end: () => Promise<void>): Promise<void> {
    await this.#ended(end);
    const lane = this.#sessions.get(session);
    if (lane === undefined) return;
    this.#sessions.delete(session);
    lane.count--;
    lane.waiting.shift()?.(null);
  }

  /** A call that was answered does not fail because its session cannot be put away. */
  async #ended(end: () => Promise<void>): Promise<void> {
    try {
      await end();
    } catch (error) {
      this.#options.onLeftover(error);
    }
  }

  #lane(skill: Skill, sandbox: StepSandbox): Lane {
    const { rules, narrow, refuse } = sandbox.access ?? {};
    const { tier, network } = sandbox.view;
    const key = JSON.stringify([skill.name, tier, network, rules, narrow, refuse]);
    const lane = this.#lanes.get(key) ?? { skill, sandbox, count: 0, idle: [], waiting: [] };
    this.#lanes.set(key, lane);
    return lane;
  }
}

/** A JSON object gives its fields, any other line is text. */
function replyResult(line: string, durationMs: number, outputs: readonly string[]): JsonObject {
  return { duration_ms: durationMs, ...(parseJsonObject(line) ?? textFields(line, outputs)) };
}

function closed(skill: Skill): WorkflowError {
  return new WorkflowError(
    'SESSION_CLOSED',
    `skill "${skill.name}": the sessions of the instance are closed`,
  );
}

function seconds(ms: number | null): string {
  return `${(ms ?? 0) / 1000} s`;
}
