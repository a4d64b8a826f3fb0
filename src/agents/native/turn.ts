/** One answer of a model, collected from its stream. */
import type { Json, JsonObject } from '../../definition/workflow.ts';
import type { AgentCall } from '../../engine/agent-events.ts';
import { ensureError } from '../../errors/workflow-error.ts';
import { isStorable } from '../../skills/result.ts';
import { ModelFault, type ModelPart, type ReportedUsage } from '../model/model.ts';

/** Larger arguments are an error for the model: they would fill the journal. */
export const MAX_ARGUMENT_BYTES = 256 * 1024;
/** An answer that is longer is not read to its end. */
const MAX_ANSWER_LENGTH = 32 * 1024 * 1024;
const MAX_CALLS = 64;
const MAX_DEPTH = 64;

export interface Answer {
  readonly text: string;
  readonly calls: readonly AgentCall[];
  readonly finish: string;
  readonly usage: ReportedUsage;
  /** Characters that the model wrote, for an estimate where it counts nothing. */
  readonly length: number;
}

interface OpenCall {
  name: string;
  /** What came of its arguments piece by piece. */
  pieces: string;
  /** All of its arguments, once the call is whole; null for one whose end never came. */
  input: string | null;
  meta: JsonObject | undefined;
}

/**
 * Reads a stream to its end. Throws ModelFault for an error part, an end without a finish, or an answer that is too
 * long: such a turn counts for nothing, since nothing was acted on. Arguments that cannot be read fail their call only.
 */
export async function collectAnswer(parts: AsyncIterable<ModelPart>, iteration: number): Promise<Answer> {
  let text = '';
  let length = 0;
  let finish: Extract<ModelPart, { type: 'finish' }> | null = null;
  const calls: OpenCall[] = [];
  /** The last call of each id: providers give one id to several. */
  const byId = new Map<string, OpenCall>();
  const open = (id: string, name: string): OpenCall => {
    const known = byId.get(id);
    // The beginning of a call may come twice; after its end it is that of another one.
    const call = known?.input === null ? known : { name, pieces: '', input: null, meta: undefined };
    if (call !== known) calls.push(call);
    byId.set(id, call);
    return Object.assign(call, { name });
  };
  for await (const part of parts) {
    switch (part.type) {
      case 'text':
        text += part.delta;
        length += part.delta.length;
        break;
      case 'thought':
        length += part.length;
        break;
      case 'call-begun':
        open(part.id, part.name).pieces = '';
        break;
      case 'call-delta': {
        const call = byId.get(part.id);
        if (call?.input === null) call.pieces += part.delta;
        length += part.delta.length;
        break;
      }
      case 'call':
        // A provider may send whole calls without their pieces.
        if (!byId.has(part.id)) length += part.input.length;
        Object.assign(open(part.id, part.name), { input: part.input, meta: part.meta });
        break;
      case 'finish':
        finish = part;
        break;
      case 'error':
        throw part.fault;
    }
    if (length > MAX_ANSWER_LENGTH)
      throw new ModelFault(`the answer is longer than ${MAX_ANSWER_LENGTH} characters`, {
        isRetryable: false,
        hasBegun: true,
      });
  }
  if (finish === null || !finish.isWhole)
    throw new ModelFault('the stream ended before the answer did', {
      isRetryable: true,
      hasBegun: length > 0,
    });
  if (calls.length > MAX_CALLS)
    throw new ModelFault(`the answer has ${calls.length} tool calls, at most ${MAX_CALLS} are taken`, {
      isRetryable: false,
      hasBegun: true,
    });
  const { reason } = finish;
  return {
    text,
    calls: calls.map((call, index) => toCall(call, `c${iteration}-${index + 1}`, reason)),
    finish: reason,
    usage: finish.usage,
    length,
  };
}

function toCall({ name, pieces, input, meta }: OpenCall, call: string, finish: string): AgentCall {
  const base = { call, name, ...(meta === undefined ? {} : { meta }) };
  try {
    if (input === null) throw new Error('the call ended before it was whole');
    // Packages make an empty object of arguments that never came.
    if (finish === 'length' && pieces.trim() === '' && /^\s*(?:\{\s*\})?\s*$/.test(input))
      throw new Error('the answer was cut off at its longest length before the arguments of this call came');
    return { ...base, args: parseArguments(input) };
  } catch (error) {
    return { ...base, args: {}, malformed: ensureError(error).message };
  }
}

/** The arguments of a call; none at all are an empty object. Throws an Error that tells the model what is wrong. */
function parseArguments(input: string): JsonObject {
  const bytes = Buffer.byteLength(input);
  if (bytes > MAX_ARGUMENT_BYTES)
    throw new Error(`the arguments have ${bytes} bytes, at most ${MAX_ARGUMENT_BYTES} are taken`);
  if (input.trim() === '') return {};
  let value: Json;
  try {
    value = JSON.parse(input) as Json;
  } catch (error) {
    throw new Error(`the arguments are no JSON: ${ensureError(error).message}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('the arguments are no JSON object');
  if (!isStorable(value, MAX_DEPTH))
    throw new Error(`the arguments are nested deeper than ${MAX_DEPTH}, or a number of them is too large`);
  return value;
}
