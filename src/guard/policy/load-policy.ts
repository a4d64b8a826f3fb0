import { isNarrowEnough } from '../../../sandbox/network/rules.ts';
import { sha256 } from '../../audit/canonical.ts';
import { parseJsonText } from '../../definition/json-text.ts';
import { findingsOf } from '../../definition/schema-findings.ts';
import { renewSuggestions } from '../../definition/suggest.ts';
import type { Json, JsonObject } from '../../definition/workflow.ts';
import type { Problem } from '../../errors/workflow-error.ts';
import { loadExpressions } from '../../expression/expression.ts';
import { nativeTool } from '../tools.ts';
import { NETWORK } from './calls/traffic.ts';
import { runInlineTests } from './files/inline-tests.ts';
import { likelyMistakes } from './files/likely-mistakes.ts';
import { LAYERS, type Layer, many, type PolicyFile } from './files/policy-file.ts';
import type { LoadedPolicy } from './files/policy-set.ts';
import { compileRule, type Rule, RuleFault } from './rules/compile-rule.ts';
import { compileArgs, loadJsonSchema } from './rules/json-schema.ts';
import { toolPattern } from './rules/match-tool.ts';
import { isGlob } from './rules/text-glob.ts';

export interface PolicySource {
  readonly text: string;
  /** The path, or null for what is made. */
  readonly file: string | null;
  /** For a file that gives itself no `id`. */
  readonly name: string;
  /** The layer of the folder it lies in; null: the file says it. */
  readonly layer: Layer | null;
  /** What is wrong with the file itself, such as its owner. */
  readonly faults: readonly Problem[];
}

export interface LoadedFile {
  readonly policy: LoadedPolicy;
  readonly problems: readonly Problem[];
}

/** Reads a policy file. Never throws for a bad one: its policy has a `fault`, and denies everything. */
export async function loadPolicy(source: PolicySource): Promise<LoadedFile> {
  renewSuggestions();
  const parsed = parseJsonText(source.text);
  const found: Problem[] = [...source.faults, ...parsed.problems];
  let value: Json | undefined = parsed.value;
  if (value !== undefined) {
    const { default: validate } = await import('./generated/policy-validator.js');
    const findings = findingsOf(validate, value);
    found.push(...findings.map(({ problem }) => problem));
    if (findings.length > 0) value = undefined;
  }
  // The schema accepted it.
  const content = value === undefined ? null : (value as unknown as PolicyFile);
  const layer = layerOf(source, parsed.value, found);
  const id = content?.id ?? source.name;
  const rules = content === null ? [] : await compileAll(content, `${layer}/${id}`, found);
  if (content !== null && !hasErrors(found)) found.push(...runInlineTests(content.rules ?? [], rules));
  const isUsable = content !== null && !hasErrors(found);
  const noted = isUsable ? wideHosts(rules) : [];
  const problems = [...found, ...(content === null ? [] : warnings(content)), ...noted];
  return {
    problems,
    policy: {
      id,
      file: source.file,
      layer,
      environments: content?.environments ?? ['*'],
      isShadow: isUsable && content.mode === 'shadow',
      default: isUsable ? (content.default ?? null) : null,
      rules: isUsable ? rules : [],
      content: isUsable ? content : {},
      fault: isUsable ? null : faultOf(problems),
      hash: sha256(source.text),
    },
  };
}

function layerOf(source: PolicySource, value: Json | undefined, problems: Problem[]): Layer {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  const said = LAYERS.find((layer) => isMap && value['layer'] === layer) ?? null;
  if (source.layer !== null && said !== null && said !== source.layer && !mayMove(source.layer, said))
    problems.push({
      severity: 'error',
      path: '$.layer',
      message: `"${said}" is not the layer of the folder it lies in, which is "${source.layer}"`,
    });
  if (source.layer !== null && said !== null && mayMove(source.layer, said)) return said;
  return source.layer ?? said ?? 'organisation';
}

/** A file may put itself below the layer of its folder, where it means less. */
function mayMove(folder: Layer, said: Layer): boolean {
  return LAYERS.indexOf(said) > LAYERS.indexOf(folder);
}

async function compileAll(content: PolicyFile, prefix: string, problems: Problem[]): Promise<Rule[]> {
  const files = content.rules ?? [];
  if (files.some(({ args }) => args !== undefined) || content.output_schema !== undefined)
    await loadJsonSchema();
  await loadExpressions(files.flatMap(({ when }) => when ?? []));
  const ids = new Set<string>();
  const rules = files.flatMap((file, index): Rule[] => {
    const id = file.id ?? `rule-${index + 1}`;
    const at = `$.rules[${index}]`;
    if (ids.has(id))
      problems.push({
        severity: 'error',
        path: `${at}.id`,
        message: `"${id}" is the id of another rule of this file`,
      });
    ids.add(id);
    try {
      return [compileRule(file, id, `${prefix}#${id}`)];
    } catch (error) {
      if (!(error instanceof RuleFault)) throw error;
      problems.push({ severity: 'error', path: `${at}.${error.part}`, message: error.message });
      return [];
    }
  });
  checkOutputSchema(content, problems);
  return rules;
}

function checkOutputSchema({ output_schema: schema }: PolicyFile, problems: Problem[]): void {
  if (schema === undefined) return;
  try {
    compileArgs(schema as JsonObject);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    problems.push({ severity: 'error', path: '$.output_schema', message: error.message });
  }
}

/** What is allowed to be written and is probably not meant. */
function warnings(content: PolicyFile): Problem[] {
  const version: Problem[] =
    content.apiVersion === undefined
      ? [
          {
            severity: 'warning',
            path: '$.apiVersion',
            message: 'is missing; the file is read as "policy/v1"',
          },
        ]
      : [];
  const tools = (content.rules ?? []).flatMap((rule, index) =>
    many(rule.tool)
      .filter(
        (name) =>
          !isGlob(name) &&
          name !== NETWORK &&
          !/^(@|model:|spawn:|schedule:|hook:)/.test(name) &&
          nativeTool(toolPattern(name)) === null,
      )
      .map(
        (name): Problem => ({
          severity: 'warning',
          path: `$.rules[${index}].tool`,
          message: `there is no tool "${name}"; tools of MCP servers are written @server/tool`,
        }),
      ),
  );
  return [...version, ...tools, ...likelyMistakes(content.rules ?? [])];
}

/** Calls of a tool to such hosts are allowed; for the proxy they are too many to be meant. */
function wideHosts(rules: readonly Rule[]): Problem[] {
  return rules.flatMap(({ effect, host }, index) => {
    if (effect !== 'allow' || host === null) return [];
    return host.names
      .filter((name) => !isNarrowEnough(name.host))
      .map(
        (name): Problem => ({
          severity: 'warning',
          path: `$.rules[${index}].host`,
          message: `"${name.host}" opens nothing in the network: a star needs two labels after it, or stands alone`,
        }),
      );
  });
}

function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === 'error');
}

function faultOf(problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first === undefined) return 'it cannot be read';
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return `${first.path}: ${first.message}${more}`;
}
