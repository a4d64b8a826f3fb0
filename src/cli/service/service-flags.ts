import { Flags } from '@oclif/core';
import type { ServiceFlags } from './service.ts';

/** Which service is meant, and whether to touch it. */
export const scopeFlags = {
  user: Flags.boolean({
    description: 'a service of this user (what anybody but root gets)',
    exclusive: ['system'],
  }),
  system: Flags.boolean({ description: 'a service of the machine (what root gets)', exclusive: ['user'] }),
  'dry-run': Flags.boolean({ description: 'say what would be done, and do nothing' }),
};

export function scopeOf(flags: {
  readonly user: boolean;
  readonly system: boolean;
  readonly 'dry-run': boolean;
}): ServiceFlags {
  const scope = flags.system ? 'system' : flags.user ? 'user' : null;
  return { scope, mode: flags['dry-run'] ? 'dry_run' : 'do' };
}
