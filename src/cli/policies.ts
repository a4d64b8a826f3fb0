import { readFileSync } from 'node:fs';
import { ensureError, type Problem, systemCode, WorkflowError } from '../errors/workflow-error.ts';
import type { CaseResult, ExplainDocument } from '../guard/policy/explain.ts';
import type { LoadedFile } from '../guard/policy/load-policy.ts';
import type { Caller } from '../protocol/caller.ts';
import type { PolicyReload } from '../protocol/guard-documents.ts';
import { problemLine } from './base-command.ts';
import { plural, printable, type Style, styleFor } from './text/style.ts';

// The policies load validators, ajv and the expression language: only these commands need them here.
const guard = () => import('../guard/policy/api.ts');

export interface PolicyCheck {
  readonly file: string | null;
  readonly id: string;
  readonly layer: string;
  readonly mode: 'enforce' | 'shadow';
  readonly rules: number;
  readonly tests: number;
  readonly is_valid: boolean;
  readonly problems: readonly Problem[];
}

export interface CheckDocument {
  readonly is_valid: boolean;
  readonly files: readonly PolicyCheck[];
}

/** Checks the files named, else all that hold in the workspace, and the one that is shipped. */
export async function checkPolicies(named: readonly string[], caller: Caller): Promise<CheckDocument> {
  const { defaultPolicy, findPolicies, policyPlaces, readPolicies } = await guard();
  const files =
    named.length > 0
      ? await readPolicies(named)
      : [...(await findPolicies(policyPlaces(caller.workspace, caller.configHome))), await defaultPolicy()];
  const checks = files.map(checkOf);
  return { is_valid: checks.every((each) => each.is_valid), files: checks };
}

function checkOf({ policy, problems }: LoadedFile): PolicyCheck {
  const rules = policy.content.rules ?? [];
  return {
    file: policy.file,
    id: policy.id,
    layer: policy.layer,
    mode: policy.isShadow ? 'shadow' : 'enforce',
    rules: rules.length,
    tests: rules.reduce(
      (sum, { tests }) => sum + (tests?.match?.length ?? 0) + (tests?.noMatch?.length ?? 0),
      0,
    ),
    is_valid: policy.fault === null,
    problems,
  };
}

export function checkText({ files }: CheckDocument, style = styleFor(process.stdout)): string {
  return files.flatMap((file) => checkLines(file, style)).join('\n');
}

function checkLines(check: PolicyCheck, style: Style): string[] {
  const name = printable(check.file ?? check.id);
  const shadow = check.mode === 'shadow' ? ', shadow' : '';
  const head = check.is_valid
    ? `${style.green('✓')} ${name} (${check.layer}${shadow}: ${plural(check.rules, 'rule')}, ${plural(check.tests, 'test')})`
    : `${style.red('✗')} ${name} cannot be used: the layer ${check.layer} denies everything`;
  return [head, ...check.problems.map((problem) => `  ${problemLine(problem)}`)];
}

export interface TestDocument extends CheckDocument {
  readonly cases: readonly (CaseResult & { readonly file: string })[];
  readonly passed: boolean;
}

export interface TestRequest {
  /** Policies and files of cases, told apart by what is in them. */
  readonly files: readonly string[];
  readonly cases: readonly string[];
  readonly environment: string | null;
}

/** Runs the tests inside policies, and the cases of files against these policies (or those that hold here). */
export async function testPolicies(request: TestRequest, caller: Caller): Promise<TestDocument> {
  const { isCaseFile, loadNamedPolicies, loadPolicySet, parseCases, runCase } = await guard();
  const isCase = (file: string): boolean => isCaseFile(readText(file));
  const caseFiles = [...request.cases, ...request.files.filter(isCase)];
  const policies = request.files.filter((file) => !isCase(file));
  const check = await checkPolicies(policies, caller);
  const places = { ...caller, environment: request.environment };
  const { set } =
    policies.length > 0 ? await loadNamedPolicies(policies, places) : await loadPolicySet(places);
  const place = { workspace: caller.workspace, home: caller.userHome, environment: request.environment };
  const cases = caseFiles.flatMap((file) =>
    parseCases(readText(file), file).map((each) => ({ file, ...runCase(set, each, place) })),
  );
  return { ...check, cases, passed: check.is_valid && cases.every(({ passed }) => passed) };
}

export function testText(document: TestDocument, style = styleFor(process.stdout)): string {
  const failed = document.cases.filter(({ passed }) => !passed);
  const lines = failed.flatMap((each) => [
    `${style.red('✗')} ${printable(each.name)}: ${each.decision}, not ${each.expected}`,
    `  ${printable(each.reason)}${each.rules.length === 0 ? '' : ` [${each.rules.join(', ')}]`}`,
  ]);
  const count = document.cases.length;
  const summary = count === 0 ? [] : [`${count - failed.length} of ${plural(count, 'case')} as expected`];
  return [checkText(document, style), ...lines, ...summary].join('\n');
}

export interface ExplainRequest {
  /** JSON of the call, or `-` for standard input. */
  readonly call: string;
  readonly policies: readonly string[];
  readonly environment: string | null;
}

/** Which of the words is the call, and which are further files of `--policy`. Throws USAGE. */
export function splitExplain(
  words: readonly string[],
  policies: readonly string[],
): { readonly call: string; readonly files: readonly string[] } {
  const call = words.find((word) => /^\s*[[{]/.test(word) || word === '-') ?? words[0] ?? '';
  const rest = words.filter((word) => word !== call);
  if (rest.length > 0 && policies.length === 0)
    throw new WorkflowError('USAGE', `Unexpected argument: ${rest[0]}`, {
      hint: 'Policies are named by --policy FILE.',
    });
  return { call, files: [...policies, ...rest] };
}

export type Explanation = ExplainDocument & { readonly problems: readonly Problem[] };

/** What would be decided about a call. A policy that can't be used is among the problems, and denies. */
export async function explainCall(request: ExplainRequest, caller: Caller): Promise<Explanation> {
  const { explain, loadNamedPolicies, loadPolicySet, parseCall } = await guard();
  const call = parseCall(request.call === '-' ? readFileSync(0, 'utf8') : request.call);
  const places = { ...caller, environment: request.environment };
  const { set, files } =
    request.policies.length > 0
      ? await loadNamedPolicies(request.policies, places)
      : await loadPolicySet(places);
  const place = { workspace: caller.workspace, home: caller.userHome, environment: request.environment };
  return { ...explain(set, call, place), problems: files.flatMap(({ problems }) => problems) };
}

export function explainText(
  { decision, reason, rules, layer, chain, shadow, problems }: Explanation,
  style = styleFor(process.stdout),
): string {
  const colour = { allow: style.green, ask: style.yellow, deny: style.red };
  const link = (each: (typeof chain)[number]): string =>
    `  ${colour[each.effect](each.effect.padEnd(5))} ${printable(each.part)}  ${style.dim(printable(`${each.rule ?? each.layer}: ${each.reason}`))}`;
  return [
    `${colour[decision](decision)}  ${printable(reason)}`,
    ...(rules.length === 0 ? [] : [`by ${rules.join(', ')}${layer === null ? '' : ` (${layer})`}`]),
    ...chain.map(link),
    ...(shadow.length === 0 ? [] : ['in shadow mode:', ...shadow.map(link)]),
    ...problems.map(problemLine),
  ].join('\n');
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    throw new WorkflowError('POLICY_NOT_FOUND', `cannot read ${file}: ${ensureError(error).message}`);
  }
}

export function reloadText({ runs, unusable }: PolicyReload): string {
  const style = styleFor(process.stdout);
  const short = (hash: string | null): string => (hash === null ? 'not read yet' : hash.slice(0, 12));
  return [
    runs.length === 0 ? 'nothing runs: each run reads its policies when it starts' : '',
    ...runs.map((run) =>
      run.is_changed
        ? `${run.id} ${run.workflow}: ${short(run.old_hash)} -> ${short(run.new_hash)}`
        : `${run.id} ${run.workflow}: ${short(run.new_hash)}, unchanged`,
    ),
    ...unusable.map(
      ({ file, layer, message }) =>
        `${style.red('✗')} ${printable(file)} cannot be used: the layer ${layer} denies everything\n  ${printable(message)}`,
    ),
  ]
    .filter((line) => line !== '')
    .join('\n');
}
