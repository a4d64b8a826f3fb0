import type { RunEventType } from '../../engine/events.ts';
import type { InstanceMessage } from '../../protocol/instance-link.ts';
import { isObject } from '../../protocol/is-object.ts';
import { EVENT_SHAPES } from './event-shapes.ts';
import {
  amount,
  count,
  moment,
  object,
  oneOf,
  optional,
  orNull,
  type Shape,
  shaped,
  text,
  wrongField,
} from './shape.ts';

const request = shaped({
  kind: oneOf('spawn', 'session', 'model', 'tool', 'hook', 'approval'),
  path: text,
  attempt: count,
  subject: text,
  agentName: orNull(text),
  tier: orNull(text),
  agent: optional(shaped({ iteration: count, call: orNull(text), tool: orNull(text) })),
});
const report = shaped({
  path: text,
  attempt: count,
  tool: text,
  event: shaped({ type: oneOf('decided', 'ended'), connection: count }),
});

const MESSAGE_SHAPES: Readonly<Record<InstanceMessage['type'], Shape>> = {
  hello: { instance: text, incarnation: count, token: text, pid: count, beatMs: optional(amount) },
  beat: {},
  events: { entries: Array.isArray },
  permit: { id: count, afterSeq: count, request },
  network: { id: count, report },
  progress: { path: text, line: text },
  switched_off: { scope: text },
  io: { bytes: shaped({ readBytes: amount, writtenBytes: amount }) },
};
const ENTRY: Shape = { seq: count, at: moment, event: object };

/**
 * Takes what an instance process has sent for a message, or says what is wrong with it. The process runs our code
 * alone, but it is the one that stands between foreign code and us: what it says must not bring down the supervisor,
 * nor make the log unreadable for other runs, nor count below zero.
 */
export function readMessage(raw: unknown): InstanceMessage | { readonly wrong: string } {
  const type = isObject(raw) ? raw['type'] : undefined;
  if (!isObject(raw) || typeof type !== 'string' || !Object.hasOwn(MESSAGE_SHAPES, type))
    return { wrong: 'a message that is none' };
  const field = wrongField(raw, MESSAGE_SHAPES[type as InstanceMessage['type']]);
  if (field !== null) return { wrong: `a message "${type}" with a wrong ${field}` };
  const message = raw as unknown as InstanceMessage;
  const wrong = message.type === 'events' ? wrongEntry(message.entries) : null;
  return wrong === null ? message : { wrong };
}

function wrongEntry(entries: readonly unknown[]): string | null {
  for (const entry of entries) {
    const problem = isObject(entry) ? wrongField(entry, ENTRY) : 'form';
    if (!isObject(entry) || problem !== null) return `an entry of the journal with a wrong ${problem}`;
    const event = entry['event'] as Readonly<Record<string, unknown>>;
    const type = String(event['type']);
    if (!Object.hasOwn(EVENT_SHAPES, type)) return `an event that is none, "${type.slice(0, 40)}"`;
    const field = wrongField(event, EVENT_SHAPES[type as RunEventType]);
    if (field !== null) return `an event ${type} with a wrong ${field}`;
  }
  return null;
}
