/**
 * Which models there are: the person's own configuration file, else variables of the caller. The workspace has no say:
 * a base URL from there would get the person's key.
 */
import type { Json, JsonObject } from '../../definition/workflow.ts';
import { ensureError, type Problem, WorkflowError } from '../../errors/workflow-error.ts';
import { Fields, isObject, NoteList } from '../../skills/fields.ts';
import { addressProblem } from './model-address.ts';
import { environmentModel } from './model-environment.ts';
import type { KeySource, ModelSpec, ProviderName } from './model-spec.ts';

export interface ModelCatalogue {
  readonly file: string;
  readonly models: Readonly<Record<string, ModelSpec>>;
  readonly defaultName: string | null;
}

const PROVIDERS: readonly ProviderName[] = ['openai-compatible', 'anthropic', 'bedrock'];
const DEFAULT_IDLE_MS = 120_000;
/** A timer of the platform that is longer fires at once. */
const LONGEST_IDLE_MS = 2 ** 31 - 1;
const KEY_VARIABLE: Readonly<Record<ProviderName, string>> = {
  'openai-compatible': 'OPENAI_API_KEY',
  anthropic: 'ANTHROPIC_API_KEY',
  bedrock: 'AWS_BEARER_TOKEN_BEDROCK',
};

/**
 * Reads the text of the configuration file (null: there is none), and the variables when it names no model. Throws
 * MODEL_NOT_CONFIGURED with every place that is wrong.
 */
export function readModels(
  file: string,
  text: string | null,
  env: Readonly<Record<string, string>>,
): ModelCatalogue {
  const notes = new NoteList(file);
  const models: Record<string, ModelSpec> = {};
  const fields = text === null ? null : (new Fields(parse(text, notes), '$', notes).object('models') ?? null);
  for (const name of fields?.keys() ?? []) {
    if (name === 'default') continue;
    const entry = fields?.object(name) ?? null;
    const spec = entry === null ? null : readEntry(name, entry);
    if (spec !== null) models[name] = spec;
  }
  const [only, ...others] = Object.keys(models);
  const named = fields?.string('default') ?? (others.length === 0 ? (only ?? null) : null);
  if (named !== null && !Object.hasOwn(models, named))
    notes.error('$.models.default', `no model is called "${named}"`);
  refuse(file, notes);
  if (only !== undefined) return { file, models, defaultName: named };
  const spec = environmentModel(env);
  return spec === null
    ? { file, models, defaultName: null }
    : { file, models: { [spec.name]: spec }, defaultName: spec.name };
}

/** The model of that name, else the default one, with a note when that is not what was asked for. */
export function chooseModel(
  { models, defaultName, file }: ModelCatalogue,
  wanted: string | null,
  who: string,
): { readonly spec: ModelSpec; readonly note: string | null } {
  const own = wanted !== null && Object.hasOwn(models, wanted) ? models[wanted] : undefined;
  if (own !== undefined) return { spec: own, note: null };
  const spec = defaultName === null ? undefined : models[defaultName];
  if (spec === undefined) {
    const known = Object.keys(models);
    const why =
      known.length === 0
        ? `${file} names none, and Q_WORKFLOW_MODEL is not set`
        : `${file} names ${known.join(', ')} and no default`;
    throw new WorkflowError('MODEL_NOT_CONFIGURED', `${who} needs a model: ${why}`);
  }
  const note =
    wanted === null
      ? null
      : `${who} asks for the model "${wanted}", which is not configured: "${spec.name}" is used`;
  return { spec, note };
}

function parse(text: string, notes: NoteList): JsonObject {
  try {
    const content = JSON.parse(text) as Json;
    if (isObject(content)) return content;
    notes.error('$', 'must be an object');
  } catch (error) {
    notes.error('$', `is no JSON: ${ensureError(error).message}`);
  }
  return {};
}

function readEntry(name: string, fields: Fields): ModelSpec | null {
  const provider = PROVIDERS.find((each) => each === fields.string('provider'));
  const id = fields.string('model');
  const baseUrl = fields.string('base_url');
  const isBedrock = provider === 'bedrock';
  const keys: Record<string, KeySource> = {};
  for (const part of ['api_key', 'access_key_id', 'secret_access_key', 'session_token'] as const) {
    const source = readSource(fields, part);
    if (source !== null) keys[part] = source;
  }
  if (provider === undefined)
    fields.notes.error(fields.at('provider'), `must be one of ${PROVIDERS.join(', ')}`);
  if (id === null)
    fields.notes.error(fields.at('model'), 'is missing: the id that the provider gives the model');
  const isOwnAddress = baseUrl === null;
  // A key that nobody named goes to the provider itself only.
  if (Object.keys(keys).length === 0 && isOwnAddress && provider !== undefined && !isBedrock)
    keys['api_key'] = { env: KEY_VARIABLE[provider] };
  if (Object.keys(keys).length === 0 && isBedrock) Object.assign(keys, AWS_VARIABLES);
  const wrong = baseUrl === null ? null : addressProblem(baseUrl, Object.keys(keys).length > 0);
  if (wrong !== null) fields.notes.error(fields.at('base_url'), wrong);
  const price = fields.object('price');
  const [input, output] = [price?.positive('input_per_million'), price?.positive('output_per_million')];
  if (price !== null && (input == null || output == null))
    fields.notes.error(price.path, 'needs input_per_million and output_per_million, US dollars');
  const idle = fields.positive('timeout');
  const maxOutputTokens = fields.positive('max_output_tokens');
  const region = fields.string('region');
  fields.warnUnknown();
  if (provider === undefined || id === null) return null;
  return {
    name,
    provider,
    baseUrl,
    id,
    region: isBedrock ? (region ?? 'us-east-1') : null,
    maxOutputTokens,
    price: input == null || output == null ? null : { inputPerMillion: input, outputPerMillion: output },
    idleTimeoutMs: idle === null ? DEFAULT_IDLE_MS : Math.min(LONGEST_IDLE_MS, idle * 1000),
    keys,
  };
}

const AWS_VARIABLES = {
  access_key_id: { env: 'AWS_ACCESS_KEY_ID' },
  secret_access_key: { env: 'AWS_SECRET_ACCESS_KEY' },
  session_token: { env: 'AWS_SESSION_TOKEN' },
} as const;

/** `{"secret": "NAME"}` or `{"env": "NAME"}`; a key itself in the file is refused. */
function readSource(fields: Fields, part: string): KeySource | null {
  const source = fields.object(part);
  if (source === null) return null;
  const [secret, env] = [source.string('secret'), source.string('env')];
  if (secret !== null && env === null) return { secret };
  if (env !== null && secret === null) return { env };
  fields.notes.error(fields.at(part), 'must be {"secret": "NAME"} or {"env": "NAME"}');
  return null;
}

function refuse(file: string, notes: NoteList): void {
  // A key with a typo would be a limit that nobody applies: here it is an error, not a warning.
  const problems: Problem[] = notes.all.map(({ path, message }) => ({ severity: 'error', path, message }));
  if (problems.length === 0) return;
  const listed = problems.map(({ path, message }) => `${path} ${message}`).join('; ');
  throw new WorkflowError('MODEL_NOT_CONFIGURED', `${file} is not valid: ${listed}`, { problems });
}
