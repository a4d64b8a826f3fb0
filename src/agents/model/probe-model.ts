import { collectAnswer } from '../native/turn.ts';
import { cleanText } from '../text.ts';
import { resolveKeys } from './keys.ts';
import { chooseModel, readModels } from './model-config.ts';
import { openModel } from './provider.ts';

export interface ProbedModel {
  readonly name: string;
  readonly id: string;
  readonly provider: string;
  /** What it said, cleaned, its first 200 characters. */
  readonly text: string;
  readonly tokens: { readonly in: number | null; readonly out: number | null };
  /** From the request to the end of the answer. */
  readonly ms: number;
}

const PROBE_DEADLINE_MS = 60_000;
/** Room for models that think before they speak. */
const MAX_OUTPUT_TOKENS = 1024;

/**
 * Makes one small request to a configured model (null: the default one), which costs what such a request costs. Throws
 * MODEL_NOT_CONFIGURED, or what the provider made of it.
 */
export async function probeModel(
  name: string | null,
  config: { readonly file: string; readonly text: string | null },
  env: Readonly<Record<string, string>>,
  secretsFolder: string,
): Promise<ProbedModel> {
  const { spec } = chooseModel(readModels(config.file, config.text, env), name, 'doctor');
  const model = await openModel(spec, resolveKeys(spec, env, secretsFolder));
  const startedAt = performance.now();
  const request = {
    system: 'You are being tested. Answer with one word.',
    messages: [{ role: 'user', text: 'Say ok.' }],
    tools: [],
    maxOutputTokens: MAX_OUTPUT_TOKENS,
  } as const;
  const answer = await collectAnswer(model.stream(request, AbortSignal.timeout(PROBE_DEADLINE_MS)), 1);
  return {
    name: spec.name,
    id: spec.id,
    provider: spec.provider,
    text: cleanText(answer.text).trim().slice(0, 200),
    tokens: { in: answer.usage.in ?? null, out: answer.usage.out ?? null },
    ms: Math.round(performance.now() - startedAt),
  };
}
