import { Flags } from '@oclif/core';

/** The flags by which the commands choose records. */
export const auditFilterFlags = {
  since: Flags.string({ description: 'recorded since: 90s, 10m, 2h, 1d, or a time' }),
  until: Flags.string({ description: 'recorded before: 90s, 10m, 2h, 1d ago, or a time' }),
  type: Flags.string({ description: 'only types that match, e.g. "step.*"' }),
  instance: Flags.string({ description: 'only this instance: its id, a prefix of it, or latest' }),
};
