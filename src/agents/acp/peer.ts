/**
 * The client's side of JSON-RPC 2.0, one object a line. Messages are handled one after the other in the order they came,
 * an answer too: what was said before it has been judged when it is taken.
 */
import type { Json, JsonObject } from '../../definition/workflow.ts';
import { ensureError, WorkflowError } from '../../errors/workflow-error.ts';
import { isObject } from '../../skills/fields.ts';
import { isStorable } from '../../skills/result.ts';
import { startTimer } from '../../skills/waits.ts';
import { BadMessage } from './messages.ts';

export interface PeerHandlers {
  /** Resolves when it is dealt with. What it throws ends the connection. */
  notified(method: string, params: Json | undefined): void | Promise<void>;
  /** The result of a request of the other side; undefined for a method that is not there. */
  asked(method: string, params: Json | undefined): Promise<Json | undefined>;
  /** More came than is dealt with: read no further, or read on. */
  hold(isHeld: boolean): void;
  /** Makes words of the other side fit to be shown. */
  mask(text: string): string;
  /** Sends one line. */
  send(line: string): void;
}

interface Waiting {
  readonly method: string;
  readonly answer: PromiseWithResolvers<Json>;
}

/** Lines that wait to be dealt with before reading stops. */
const MAX_QUEUE = 256;
/** Of a message: what is journaled of it has to be hashed. */
const MAX_DEPTH = 200;
const METHOD_NOT_FOUND = -32601;
const SHOWN = 200;

export class RpcPeer {
  readonly #name: string;
  readonly #handlers: PeerHandlers;
  readonly #waiting = new Map<number, Waiting>();
  readonly #queue: string[] = [];
  #lastId = 0;
  #isPumping = false;
  #failure: Error | null = null;

  /** `name` is for messages. */
  constructor(name: string, handlers: PeerHandlers) {
    this.#name = name;
    this.#handlers = handlers;
  }

  /** Sends a request. Rejects with AGENT_FAILED for an error, for no answer in time, and when the connection ends. */
  async request(method: string, params: JsonObject, timeoutMs: number | null): Promise<Json> {
    this.assertSound();
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = Promise.withResolvers<Json>();
    this.#waiting.set(id, { method, answer });
    const callOff = startTimer(timeoutMs, () =>
      this.fail(failure(`${this.#name} did not answer ${method} in ${(timeoutMs ?? 0) / 1000} s`)),
    );
    this.#send({ id, method, params });
    try {
      return await answer.promise;
    } finally {
      callOff();
    }
  }

  notify(method: string, params: JsonObject): void {
    if (this.#failure === null) this.#send({ method, params });
  }

  receive(line: string): void {
    if (this.#failure !== null || line.trim() === '') return;
    this.#queue.push(line);
    if (this.#queue.length === MAX_QUEUE) this.#handlers.hold(true);
    void this.#pump();
  }

  /** Throws why it failed, if it did: what came after an answer may have been wrong. */
  assertSound(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** Ends it: requests that are open reject with this, nothing more is handled. The first reason counts. */
  fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#queue.length = 0;
    for (const { answer } of this.#waiting.values()) answer.reject(error);
    this.#waiting.clear();
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    for (let line = this.#queue.shift(); line !== undefined; line = this.#queue.shift()) {
      try {
        await this.#handle(line);
      } catch (error) {
        this.fail(
          error instanceof BadMessage ? failure(`${this.#name}: ${error.message}`) : ensureError(error),
        );
      }
      if (this.#queue.length === MAX_QUEUE - 1) this.#handlers.hold(false);
    }
    this.#isPumping = false;
  }

  async #handle(line: string): Promise<void> {
    const message = this.#parse(line);
    const { id, method, params } = message;
    if (typeof method !== 'string') {
      this.#answered(message);
      return;
    }
    if (id === undefined || id === null) {
      await this.#handlers.notified(method, params);
      return;
    }
    if (typeof id !== 'number' && typeof id !== 'string') throw new BadMessage('the id of a request is none');
    const result = await this.#handlers.asked(method, params);
    if (this.#failure !== null) return;
    if (result === undefined)
      this.#send({
        id,
        error: { code: METHOD_NOT_FOUND, message: `${method.slice(0, SHOWN)} is not offered` },
      });
    else this.#send({ id, result });
  }

  #answered({ id, result, error }: JsonObject): void {
    const waiting = typeof id === 'number' ? this.#waiting.get(id) : undefined;
    if (waiting === undefined)
      throw new BadMessage(
        `it answered ${this.#shown(id ?? null)}, which nobody asked or it answered before`,
      );
    const isError = error !== undefined && error !== null;
    // It stays open, so that it fails with all others.
    if (!isError && result === undefined)
      throw new BadMessage(`its answer to ${waiting.method} has no result`);
    this.#waiting.delete(Number(id));
    if (isError) {
      const said = isObject(error) ? [error['message'], error['data']] : [error];
      const shown = said
        .filter((part) => part !== undefined && part !== null)
        .map((part) => this.#shown(part));
      waiting.answer.reject(
        failure(`${this.#name} answered ${waiting.method} with an error: ${shown.join(' ')}`),
      );
    } else if (result !== undefined) waiting.answer.resolve(result);
  }

  #parse(line: string): JsonObject {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new BadMessage(`it sent a line that is no JSON: ${this.#shown(line)}`);
    }
    if (!isObject(value)) throw new BadMessage('it sent a line that is no JSON object');
    if (!isStorable(value, MAX_DEPTH))
      throw new BadMessage(
        `it sent a line that is nested deeper than ${MAX_DEPTH}, or has a number that is too large`,
      );
    return value;
  }

  #shown(value: Json): string {
    return this.#handlers.mask(JSON.stringify(value)).slice(0, SHOWN);
  }

  #send(message: JsonObject): void {
    this.#handlers.send(JSON.stringify({ jsonrpc: '2.0', ...message }));
  }
}

export function failure(message: string): WorkflowError {
  return new WorkflowError('AGENT_FAILED', message);
}
