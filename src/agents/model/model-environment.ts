import { WorkflowError } from '../../errors/workflow-error.ts';
import { addressProblem } from './model-address.ts';
import type { KeySource, ModelSpec, ProviderName } from './model-spec.ts';

type Env = Readonly<Record<string, string>>;

/** The model that the variables describe; null when they name none. Throws MODEL_NOT_CONFIGURED for wrong ones. */
export function environmentModel(env: Env): ModelSpec | null {
  const id = env['Q_WORKFLOW_MODEL'];
  if (id === undefined || id === '') return null;
  const baseUrl = env['Q_WORKFLOW_MODEL_BASE_URL'] || null;
  const provider = providerOf(env, baseUrl);
  const keys = keysOf(env, provider, baseUrl);
  const wrong = baseUrl === null ? null : addressProblem(baseUrl, Object.keys(keys).length > 0);
  if (wrong !== null) throw new WorkflowError('MODEL_NOT_CONFIGURED', `Q_WORKFLOW_MODEL_BASE_URL: ${wrong}`);
  return {
    name: 'environment',
    provider,
    baseUrl,
    id,
    region: provider === 'bedrock' ? (env['AWS_REGION'] ?? 'us-east-1') : null,
    maxOutputTokens: null,
    price: null,
    idleTimeoutMs: 120_000,
    keys,
  };
}

function providerOf(env: Env, baseUrl: string | null): ProviderName {
  const given = env['Q_WORKFLOW_MODEL_PROVIDER'];
  switch (given) {
    case 'openai-compatible':
    case 'anthropic':
    case 'bedrock':
      return given;
    case undefined:
    case '':
      break;
    default:
      throw new WorkflowError(
        'MODEL_NOT_CONFIGURED',
        `Q_WORKFLOW_MODEL_PROVIDER is "${given}"; it must be openai-compatible, anthropic or bedrock`,
      );
  }
  if (baseUrl !== null || env['OPENAI_API_KEY']) return 'openai-compatible';
  return env['ANTHROPIC_API_KEY'] ? 'anthropic' : env['AWS_ACCESS_KEY_ID'] ? 'bedrock' : 'openai-compatible';
}

/** A provider's own key goes to the provider's own address only; Q_WORKFLOW_API_KEY goes wherever the caller points. */
function keysOf(env: Env, provider: ProviderName, baseUrl: string | null): Record<string, KeySource> {
  if (env['Q_WORKFLOW_API_KEY']) return { api_key: { env: 'Q_WORKFLOW_API_KEY' } };
  if (provider === 'bedrock') {
    if (env['AWS_BEARER_TOKEN_BEDROCK']) return { api_key: { env: 'AWS_BEARER_TOKEN_BEDROCK' } };
    return {
      access_key_id: { env: 'AWS_ACCESS_KEY_ID' },
      secret_access_key: { env: 'AWS_SECRET_ACCESS_KEY' },
      session_token: { env: 'AWS_SESSION_TOKEN' },
    };
  }
  if (baseUrl !== null) return {};
  return { api_key: { env: provider === 'anthropic' ? 'ANTHROPIC_API_KEY' : 'OPENAI_API_KEY' } };
}
