import { deepestCause, systemCode } from '../../errors/workflow-error.ts';

const REFUSED = 'the proxy of this step refuses it: no policy opens this host to this tool';
const NO_NETWORK = 'there is no network here: no policy opens a host to this tool';

/** Why a request got no answer, for a model: what lies below fetch's own word, and what the sandbox has to do with it. */
export function fetchFault(error: unknown, env: Readonly<Record<string, string | undefined>>): string {
  const deepest = deepestCause(error);
  if (env['HTTP_PROXY'] !== undefined)
    return /^Proxy response \(403\)/.test(deepest.message) ? REFUSED : deepest.message;
  const code = systemCode(deepest) ?? '';
  return ['ENETUNREACH', 'EAI_AGAIN'].includes(code) ? `${NO_NETWORK} (${code})` : deepest.message;
}
