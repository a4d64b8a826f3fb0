import { append } from './json-path.ts';
import type { Roster } from './roster.ts';

/** Id of a step → JSON path of what names its skill or agent: in the step, or where a handler is named by a skill. */
export type Places = ReadonlyMap<string, string>;

export function placesOf(roster: Roster): Places {
  const places = new Map<string, string>();
  for (const { name, path } of roster.handlerNames) if (!places.has(name)) places.set(name, path);
  for (const { step, path } of roster.byId.values())
    if (step.type === 'skill' || step.type === 'agent') places.set(step.id, append(path, step.type));
  return places;
}
