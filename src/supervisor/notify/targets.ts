import { fitsGlob } from '../../../sandbox/network/text-glob.ts';
import { addressProblem } from '../../agents/model/model-address.ts';
import type { KeySource } from '../../agents/model/model-spec.ts';
import { type Fields, isObject } from '../../skills/fields.ts';
import { problemOf, readSection } from '../own-config.ts';
import { EVENTS, type EventName, type Notification } from './notification.ts';

/** Who is told, of what. */
export interface Target {
  readonly name: string;
  readonly means: Webhook | Command;
  readonly timeoutMs: number;
  readonly events: readonly EventName[];
  /** Patterns with * and ?; empty: all. Kill switches have no workflow, and are always told. */
  readonly workflows: readonly string[];
}

export interface Webhook {
  readonly kind: 'webhook';
  /** The address of a chat is a secret by itself. */
  readonly url: string | KeySource;
  readonly headers: readonly { readonly name: string; readonly prefix: string; readonly value: KeySource }[];
  /** `slack`: the text alone, with what Slack would take for a mention made harmless. */
  readonly format: 'json' | 'slack';
}

export interface Command {
  readonly kind: 'command';
  readonly argv: readonly string[];
}

export interface Targets {
  readonly targets: readonly Target[];
  readonly problem: string | null;
}

const DEFAULT_EVENTS = EVENTS.filter((event) => event !== 'run.completed');
const DEFAULT_TIMEOUT_S = 10;
const MAX_TIMEOUT_S = 120;
const HEADER = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** The section `notifications` of the person's configuration. With a mistake in it there are no targets. */
export function readTargets(env: NodeJS.ProcessEnv): Targets {
  const section = readSection(env, 'notifications');
  const targets = (section.fields?.keys() ?? []).flatMap((name) => {
    const entry = section.fields?.object(name) ?? null;
    const target = entry === null ? null : readTarget(name, entry);
    return target === null ? [] : [target];
  });
  const problem = problemOf(section);
  return { targets: problem === null ? targets : [], problem };
}

export function wants({ events, workflows }: Target, { event, workflow }: Notification): boolean {
  if (!events.includes(event)) return false;
  return (
    workflows.length === 0 || workflow === null || workflows.some((pattern) => fitsGlob(pattern, workflow))
  );
}

function readTarget(name: string, fields: Fields): Target | null {
  const webhook = fields.object('webhook');
  const argv = fields.strings('command');
  const events = fields.strings('events');
  const workflows = fields.strings('workflows');
  const seconds = fields.positive('timeout') ?? DEFAULT_TIMEOUT_S;
  fields.warnUnknown();
  const unknown = events.filter((event) => !EVENTS.some((each) => each === event));
  if (unknown.length > 0)
    fields.notes.error(fields.at('events'), `${unknown.join(', ')}: not one of ${EVENTS.join(', ')}`);
  if (seconds > MAX_TIMEOUT_S)
    fields.notes.error(fields.at('timeout'), `must be ${MAX_TIMEOUT_S} seconds at most`);
  const means = webhook === null ? readCommand(argv) : readWebhook(webhook);
  if ((webhook === null) === (argv.length === 0) || means === null) {
    if ((webhook === null) === (argv.length === 0))
      fields.notes.error(fields.path, 'needs either webhook or command');
    return null;
  }
  return {
    name,
    means,
    timeoutMs: seconds * 1000,
    events: fields.has('events') ? EVENTS.filter((event) => events.includes(event)) : DEFAULT_EVENTS,
    workflows,
  };
}

function readCommand(argv: readonly string[]): Command | null {
  return argv.length === 0 ? null : { kind: 'command', argv };
}

function readWebhook(fields: Fields): Webhook | null {
  const raw = fields.raw('url');
  const url = typeof raw === 'string' ? raw : (readSource(fields, 'url')?.source ?? null);
  const format = fields.string('format') ?? 'json';
  const given = fields.object('headers');
  const headers = (given?.keys() ?? []).flatMap((name) => {
    if (given === null) return [];
    if (!HEADER.test(name)) given.notes.error(given.at(name), 'is no name of a header');
    const read = readSource(given, name);
    return read === null ? [] : [{ name, prefix: read.prefix, value: read.source }];
  });
  fields.warnUnknown();
  if (url === null) fields.notes.error(fields.at('url'), 'is missing');
  // Also without a key: who reads along would learn what happens here.
  if (typeof url === 'string' && addressProblem(url, true) !== null)
    // Not its own words: they quote the address, and that of a chat is a secret.
    fields.notes.error(fields.at('url'), 'must be an https address, or one of this machine');
  if (format !== 'json' && format !== 'slack')
    fields.notes.error(fields.at('format'), 'must be json or slack');
  if (url === null) return null;
  return { kind: 'webhook', url, headers, format: format === 'slack' ? 'slack' : 'json' };
}

/** `{"secret": "NAME"}` or `{"env": "NAME"}`; a value itself in the file is refused, and not repeated. */
function readSource(
  fields: Fields,
  key: string,
): { readonly source: KeySource; readonly prefix: string } | null {
  const raw = fields.raw(key);
  if (raw === undefined) return null;
  const entry = isObject(raw) ? fields.object(key) : null;
  const [secret, env] = [entry?.string('secret') ?? null, entry?.string('env') ?? null];
  const prefix = entry?.string('prefix') ?? '';
  entry?.warnUnknown();
  if (secret !== null && env === null) return { source: { secret }, prefix };
  if (env !== null && secret === null) return { source: { env }, prefix };
  fields.notes.error(fields.at(key), 'must be {"secret": "NAME"} or {"env": "NAME"}');
  return null;
}
