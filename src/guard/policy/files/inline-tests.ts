import type { Problem } from '../../../errors/workflow-error.ts';
import { canonicalTool, nativeTool } from '../../tools.ts';
import type { GuardedCall } from '../calls/call.ts';
import { readCall } from '../calls/read-call.ts';
import type { Rule } from '../rules/compile-rule.ts';
import { matchesRule } from '../rules/match-rule.ts';
import { isGlob } from '../rules/text-glob.ts';
import { NO_FILES } from './file-facts.ts';
import { many, type RuleFile, type TestCall, type TestCallFile } from './policy-file.ts';

/** Where calls of tests happen: a folder that need not exist, for no file is looked at. */
const WORKSPACE = '/workspace';
const HOME = '/home/user';

/** Runs the tests that rules carry, each against its own rule alone. One problem for each that fails. */
export function runInlineTests(files: readonly RuleFile[], rules: readonly Rule[]): Problem[] {
  return files.flatMap((file, index) => {
    const rule = rules[index];
    if (rule === undefined || file.tests === undefined) return [];
    const run = (key: 'match' | 'noMatch', wanted: boolean): Problem[] =>
      (file.tests?.[key] ?? []).flatMap((test, at): Problem[] => {
        if (matches(rule, callOf(file, test)) === wanted) return [];
        const shown = typeof test === 'string' ? test : JSON.stringify(test);
        return [
          {
            severity: 'error',
            path: `$.rules[${index}].tests.${key}[${at}]`,
            message: `the rule ${rule.id} ${wanted ? 'does not match' : 'matches'} ${JSON.stringify(shown)}`,
          },
        ];
      });
    return [...run('match', true), ...run('noMatch', false)];
  });
}

/** A rule that permits must do so for every part of the call; for one that guards any part is enough. */
function matches(rule: Rule, call: GuardedCall): boolean {
  const subject = readCall(call, { files: NO_FILES, home: HOME });
  const has = (part: (typeof subject.parts)[number]): boolean =>
    matchesRule(rule, subject, part, () => (rule.effect === 'allow' ? 'within' : 'beyond'));
  if (rule.effect !== 'allow') return subject.parts.some(has);
  const isRead = subject.doubts.every(({ kind }) => kind === 'careful');
  return isRead && subject.parts.every((part) => part.isTransparent || has(part));
}

function callOf(file: RuleFile, test: TestCall): GuardedCall {
  const given: TestCallFile = typeof test === 'string' ? textCall(file, expanded(test)) : test;
  const tool = given.tool ?? toolFor(file);
  const [, kind, subject] = /^(model|spawn|schedule|hook):(.*)$/s.exec(tool) ?? [];
  return {
    // The pattern knows the kinds.
    kind: (kind as GuardedCall['kind'] | undefined) ?? 'tool',
    tool: subject ?? tool,
    args: { ...given.args },
    workspace: WORKSPACE,
    cwd: WORKSPACE,
    workflow: given.workflow ?? null,
    agent: given.agent ?? null,
    step: given.step ?? null,
    environment: given.environment ?? null,
  };
}

function expanded(text: string): string {
  return text.replaceAll('${workspace}', WORKSPACE).replaceAll('${home}', HOME);
}

/** A text is a command, a path or a URL after what the rule speaks of; else the name of a tool. */
function textCall(file: RuleFile, text: string): TestCallFile {
  const tool = toolFor(file);
  switch (tool) {
    case 'execute_bash':
      return { tool, args: { command: text } };
    case 'exec':
      return { tool, args: { argv: text.split(/\s+/) } };
    case 'http_fetch':
      return { tool, args: { url: text } };
    default:
      if (file.path !== undefined || nativeTool(tool)?.paths['path'] !== undefined)
        return { tool, args: { path: text } };
      return { tool: text, args: {} };
  }
}

function toolFor(file: RuleFile): string {
  const named = many(file.tool).filter((name) => !isGlob(name) && name !== '@builtin');
  const tools = named.map(canonicalTool);
  const pick = (...wanted: readonly string[]): string | undefined =>
    wanted.find((each) => tools.includes(each));
  if (file.command !== undefined) return pick('execute_bash', 'exec') ?? tools[0] ?? 'execute_bash';
  if (file.path !== undefined)
    return pick('fs_read', 'fs_write', 'fs_list', 'search') ?? tools[0] ?? pathTool(file);
  if (file.host !== undefined) return pick('http_fetch') ?? tools[0] ?? 'http_fetch';
  return tools[0] ?? '';
}

function pathTool(file: RuleFile): string {
  return many(file.tool).some((glob) => /write/.test(glob)) ? 'fs_write' : 'fs_read';
}
