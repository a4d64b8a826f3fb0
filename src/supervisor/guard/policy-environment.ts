import { DEFAULT_ENVIRONMENT } from '../../guard/policy/calls/call.ts';
import { ENVIRONMENT_VARIABLE } from '../../protocol/service.ts';

/** The environment that this supervisor is in, whose policy files count. Its runs cannot choose another one. */
export function policyEnvironment(): string {
  return process.env[ENVIRONMENT_VARIABLE] || DEFAULT_ENVIRONMENT;
}
