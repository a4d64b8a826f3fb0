/** `driver` and `profile` of an agent file: who does the work of its steps. */
import { didYouMean, nearest } from '../errors/nearest.ts';
import { AGENT_PROFILES, type OtherDriver, type ProfileName } from '../protocol/agent-profiles.ts';
import type { Fields } from '../skills/fields.ts';

export interface DriverChoice {
  readonly name: OtherDriver;
  readonly profile: ProfileName;
}

const OTHERS: readonly OtherDriver[] = ['acp', 'headless'];
const DRIVERS = ['native', ...OTHERS];
const PROFILES = Object.keys(AGENT_PROFILES) as ProfileName[];

/** Null for our own driver, and where it is not clear: then the notes have an error, and the agent is not used. */
export function readDriver(fields: Fields): DriverChoice | null {
  const driver = fields.string('driver');
  const profile = fields.string('profile');
  const refuse = (key: string, message: string): null => {
    fields.notes.error(fields.at(key), message);
    return null;
  };
  if (driver === null || driver === 'native')
    return profile === null ? null : refuse('profile', 'needs a driver beside it: "acp" or "headless"');
  const name = OTHERS.find((each) => each === driver);
  if (name === undefined)
    return refuse(
      'driver',
      `"${driver}" is no driver; there are ${DRIVERS.join(', ')}${didYouMean(nearest(driver, DRIVERS))}`,
    );
  const able = PROFILES.filter((each) => driversOf(each).includes(name));
  if (profile === null)
    return refuse('profile', `is missing: the driver ${name} needs one of ${able.join(', ')}`);
  const known = able.find((each) => each === profile);
  if (known === undefined)
    return refuse(
      'profile',
      `"${profile}" is no profile of the driver ${name}; there are ${able.join(', ')}${didYouMean(nearest(profile, able))}`,
    );
  noteUnused(fields, name);
  return { name, profile: known };
}

/** What only our own driver does. */
function noteUnused(fields: Fields, driver: OtherDriver): void {
  const unused = {
    model: 'is not used: the program chooses its model',
    toolAliases: 'is not used: the program names its tools itself',
    mcpServers: 'is not used: the program gets no MCP servers',
  };
  for (const [key, message] of Object.entries(unused))
    if (fields.has(key)) fields.notes.warn(fields.at(key), `${message} (driver ${driver})`);
}

function driversOf(profile: ProfileName): readonly OtherDriver[] {
  return AGENT_PROFILES[profile].drivers;
}
