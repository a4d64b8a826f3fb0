/** Models of real providers: the wire formats of the AI SDK's provider packages, and nothing else of it. */
import type { JsonObject } from '../../definition/workflow.ts';
import { deepestCause, ensureError } from '../../errors/workflow-error.ts';
import { Redactor } from '../../skills/redact.ts';
import { type Model, ModelFault, type ModelMessage, type ModelPart, type ModelRequest } from './model.ts';
import type { ModelKeys, ModelSpec } from './model-spec.ts';

type SdkModel = ReturnType<ReturnType<typeof import('@ai-sdk/openai-compatible')['createOpenAICompatible']>>;
type SdkOptions = Parameters<SdkModel['doStream']>[0];
type SdkPrompt = SdkOptions['prompt'];
type SdkStream = Awaited<ReturnType<SdkModel['doStream']>>['stream'];
type SdkPart = SdkStream extends ReadableStream<infer Part> ? Part : never;

/** By these providers say that they broke an answer off; the packages take what came for all of it. */
const BROKEN_OFF =
  /^(?:error|abort|insufficient_system_resource|malformed_(?:model_output|tool_use)|function_call_filter\b.*)$/s;
/** The packages know it of some providers only. */
const CUT_OFF = 'model_context_window_exceeded';
const OPENAI_URL = 'https://api.openai.com/v1';

/** Loads the package of the provider and answers its model. The keys stay in the closure of its requests. */
export async function openModel(spec: ModelSpec, keys: ModelKeys): Promise<Model> {
  const model = await loadModel(spec, keys);
  // Providers repeat a key that they do not know.
  const redactor = new Redactor(Object.values(keys));
  const hide = (text: string): string => redactor.text(text);
  return { stream: (request, signal) => stream(model, spec, request, signal, hide) };
}

async function loadModel(spec: ModelSpec, keys: ModelKeys): Promise<SdkModel> {
  const apiKey = keys.api_key;
  const base = {
    // A redirect would carry a key in a header of its own to another host.
    fetch: (input: string | URL | Request, init?: RequestInit) =>
      fetch(input, { ...init, redirect: 'error' }),
    ...(apiKey === undefined ? {} : { apiKey }),
  } as const;
  const url = spec.baseUrl === null ? {} : { baseURL: spec.baseUrl };
  switch (spec.provider) {
    case 'openai-compatible': {
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
      return createOpenAICompatible({
        ...base,
        name: 'model',
        includeUsage: true,
        baseURL: spec.baseUrl ?? OPENAI_URL,
      })(spec.id);
    }
    case 'anthropic': {
      const { createAnthropic } = await import('@ai-sdk/anthropic');
      return createAnthropic({ ...base, ...url })(spec.id);
    }
    case 'bedrock': {
      const { createAmazonBedrock } = await import('@ai-sdk/amazon-bedrock');
      return createAmazonBedrock({
        ...base,
        ...url,
        region: spec.region ?? 'us-east-1',
        accessKeyId: keys.access_key_id ?? '',
        secretAccessKey: keys.secret_access_key ?? '',
        ...(keys.session_token === undefined ? {} : { sessionToken: keys.session_token }),
      })(spec.id);
    }
  }
}

async function* stream(
  model: SdkModel,
  spec: ModelSpec,
  request: ModelRequest,
  signal: AbortSignal,
  hide: (text: string) => string,
): AsyncGenerator<ModelPart> {
  const idle = new AbortController();
  const both = AbortSignal.any([signal, idle.signal]);
  let timer = setTimeout(() => idle.abort(), spec.idleTimeoutMs);
  let hasBegun = false;
  let hasAnswered = false;
  let reader: ReadableStreamDefaultReader<SdkPart> | null = null;
  try {
    const answer = await model.doStream({ ...toSdk(request), abortSignal: both });
    hasAnswered = true;
    reader = answer.stream.getReader();
    for (;;) {
      const next = await reader.read();
      if (next.done) return;
      clearTimeout(timer);
      timer = setTimeout(() => idle.abort(), spec.idleTimeoutMs);
      const part = fromSdk(next.value, hide);
      if (part === null) continue;
      hasBegun ||= part.type !== 'error';
      yield part;
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (idle.signal.aborted)
      throw new ModelFault(`nothing came for ${spec.idleTimeoutMs / 1000} s`, {
        isRetryable: true,
        hasBegun,
        cause: error,
      });
    throw toFault(error, { hasBegun, hasAnswered }, hide);
  } finally {
    clearTimeout(timer);
    // Whoever stops listening ends the request as well.
    idle.abort();
    reader?.cancel().catch((error: unknown) => error);
  }
}

function toSdk(request: ModelRequest): SdkOptions {
  return {
    prompt: [{ role: 'system', content: request.system }, ...request.messages.map(toSdkMessage)],
    ...(request.maxOutputTokens === null ? {} : { maxOutputTokens: request.maxOutputTokens }),
    ...(request.tools.length === 0
      ? {}
      : {
          tools: request.tools.map(({ name, description, inputSchema }) => ({
            type: 'function' as const,
            name,
            description,
            inputSchema,
          })),
          toolChoice: { type: 'auto' as const },
        }),
  };
}

function toSdkMessage(message: ModelMessage): SdkPrompt[number] {
  switch (message.role) {
    case 'user':
      return { role: 'user', content: [{ type: 'text', text: message.text }] };
    case 'assistant': {
      const calls = message.calls.map(({ id, name, args, meta }) => ({
        type: 'tool-call' as const,
        toolCallId: id,
        toolName: name,
        input: args,
        ...(meta === undefined ? {} : { providerOptions: meta as Record<string, JsonObject> }),
      }));
      // Providers refuse an answer without content.
      const text = message.text === '' && calls.length === 0 ? '(nothing)' : message.text;
      return {
        role: 'assistant',
        content: [...(text === '' ? [] : [{ type: 'text' as const, text }]), ...calls],
      };
    }
    case 'tool':
      return {
        role: 'tool',
        content: message.results.map(({ id, name, text, isError }) => ({
          type: 'tool-result' as const,
          toolCallId: id,
          toolName: name,
          output: { type: isError ? ('error-text' as const) : ('text' as const), value: text },
        })),
      };
  }
}

/** Null for what the loop has no use for: sources, metadata. */
function fromSdk(part: SdkPart, hide: (text: string) => string): ModelPart | null {
  switch (part.type) {
    case 'text-delta':
      return { type: 'text', delta: part.delta };
    case 'reasoning-delta':
      return { type: 'thought', length: part.delta.length };
    case 'tool-input-start':
      return { type: 'call-begun', id: part.id, name: part.toolName };
    case 'tool-input-delta':
      return { type: 'call-delta', id: part.id, delta: part.delta };
    case 'tool-call':
      return {
        type: 'call',
        id: part.toolCallId,
        name: part.toolName,
        input: part.input,
        ...(part.providerMetadata === undefined ? {} : { meta: part.providerMetadata as JsonObject }),
      };
    case 'finish': {
      const { raw, unified } = part.finishReason;
      return {
        type: 'finish',
        reason: raw === CUT_OFF ? 'length' : unified,
        // Packages end a stream that broke off with a reason of their own making: then there is no raw one.
        isWhole: raw !== undefined && !BROKEN_OFF.test(raw),
        usage: {
          in: part.usage.inputTokens.total,
          out: part.usage.outputTokens.total,
          cached: part.usage.inputTokens.cacheRead,
        },
      };
    }
    case 'error':
      return { type: 'error', fault: toFault(part.error, { hasBegun: true, hasAnswered: false }, hide) };
    default:
      return null;
  }
}

/**
 * What failed, by the fields of the packages' own error; never by its text. `hasAnswered`: the stream was there, and it is
 * what broke.
 */
function toFault(
  thrown: unknown,
  { hasBegun, hasAnswered }: { readonly hasBegun: boolean; readonly hasAnswered: boolean },
  hide: (text: string) => string,
): ModelFault {
  if (thrown instanceof ModelFault) return thrown;
  const error = ensureError(thrown) as Error & {
    readonly statusCode?: unknown;
    readonly isRetryable?: unknown;
    readonly responseHeaders?: Readonly<Record<string, string>>;
  };
  const code = typeof error.statusCode === 'number' ? error.statusCode : null;
  // An answer that breaks off keeps the status it began with.
  const status = code !== null && code >= 400 ? code : null;
  const isBroken = status === null && (hasAnswered || code !== null);
  // In the midst of a stream there is no status: it broke, and another try may get through.
  const isRetryable = isBroken || (typeof error.isRetryable === 'boolean' ? error.isRetryable : hasBegun);
  const words = isBroken ? `the answer broke off: ${deepestCause(error).message}` : wordsOf(thrown, error);
  return new ModelFault(`${status === null ? '' : `HTTP ${status}: `}${shortened(hide(words))}`, {
    status,
    isRetryable,
    retryAfterMs: retryAfterMs(error.responseHeaders ?? {}),
    hasBegun,
    cause: thrown,
  });
}

function wordsOf(thrown: unknown, error: Error): string {
  const message =
    typeof thrown === 'object' && thrown !== null && 'message' in thrown ? thrown.message : null;
  return typeof message === 'string' ? message : error.message;
}

function shortened(words: string): string {
  return words.length > 500 ? `${words.slice(0, 499)}…` : words;
}

/** `Retry-After` in seconds or as a date, and the milliseconds that some providers send. */
function retryAfterMs(headers: Readonly<Record<string, string>>): number | null {
  const exact = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (Number.isFinite(exact) && exact >= 0) return exact;
  const given = headers['retry-after'];
  if (given === undefined) return null;
  const seconds = Number(given);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(given) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}
