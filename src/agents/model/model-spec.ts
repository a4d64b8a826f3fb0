/** Which model a step talks to, after configuration was read. Plain JSON; holds no key. */
import type { Price } from '../budget.ts';

export type ProviderName = 'openai-compatible' | 'anthropic' | 'bedrock';

export interface ModelSpec {
  /** Name in the configuration; `environment` when variables describe it. */
  readonly name: string;
  readonly provider: ProviderName;
  /** Null: the provider's own. */
  readonly baseUrl: string | null;
  /** The provider's id of the model. */
  readonly id: string;
  /** Only for bedrock. */
  readonly region: string | null;
  readonly maxOutputTokens: number | null;
  readonly price: Price | null;
  /** No part of an answer for so long: the request has failed. */
  readonly idleTimeoutMs: number;
  readonly keys: KeySources;
}

/** Where each part of the credentials comes from; a part that is not there is not needed. */
export type KeySources = Readonly<Partial<Record<KeyPart, KeySource>>>;
export type KeySource = { readonly secret: string } | { readonly env: string };
export type KeyPart = 'api_key' | 'access_key_id' | 'secret_access_key' | 'session_token';

/** The credentials themselves; only ever in memory, and in the file that `model-keys` keeps for a run. */
export type ModelKeys = Readonly<Partial<Record<KeyPart, string>>>;
