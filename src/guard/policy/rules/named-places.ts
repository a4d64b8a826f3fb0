/** The hosts that a call names for all to see: those that a person who approves it can mean. */

import type { Part } from '../calls/subject.ts';
import type { Destination } from '../calls/url.ts';
import { PLAIN_OPTION } from './match-rule.ts';
import { programName } from './program.ts';

/** A host with its port, in normal form. */
export interface NamedPlace extends Destination {
  readonly host: string;
  readonly port: number;
}

/** Who reads more of them has stopped reading. */
const MAX_PLACES = 16;
const HTTP_PORT = 80;
const FETCHERS: ReadonlySet<string> = new Set(['curl', 'wget']);

/**
 * Each place that the text of a call surely names, once. A word that may be the value of an option is none, and a host
 * that is worked out when the call runs isn't either. None at all of a call that names too many.
 */
export function namedPlaces(parts: readonly Part[]): readonly NamedPlace[] {
  const places = new Map<string, NamedPlace>();
  for (const part of parts)
    for (const destination of part.destinations) {
      const place = placeOf(destination, part);
      if (place !== null) places.set(`${place.host} ${place.port}`, place);
    }
  return places.size > MAX_PLACES ? [] : [...places.values()];
}

function placeOf(destination: Destination, part: Part): NamedPlace | null {
  const { host, doubt, spelled } = destination;
  if (host === null || doubt !== null) return null;
  const isUrl = /^https?:\/\//i.test(spelled);
  if (part.command !== null && !isUrl && !takesHosts(part)) return null;
  const port = destination.port ?? (part.command === null ? null : HTTP_PORT);
  return port === null || port < 1 || port > 65535 ? null : { ...destination, host, port };
}

/** curl and wget without an option that has a value: every other word is where they go. */
function takesHosts({ command }: Part): boolean {
  if (command?.program == null || !FETCHERS.has(programName(command.program))) return false;
  return command.args.every((arg) => arg === null || !arg.startsWith('-') || PLAIN_OPTION.test(arg));
}
