/** What the schema takes and nobody means: such a rule never counts, and nothing says so when a call is decided. */
import type { Problem } from '../../../errors/workflow-error.ts';
import { toolPattern } from '../rules/match-tool.ts';
import { isGlob } from '../rules/text-glob.ts';
import { type CommandFile, many, type PathFile, type RuleFile } from './policy-file.ts';

export function likelyMistakes(rules: readonly RuleFile[]): Problem[] {
  const denied = new Map(
    rules.flatMap((rule) => (isPlainDenial(rule) ? toolsOf(rule).map((tool) => [tool, rule]) : [])),
  );
  return rules.flatMap((rule, index) => {
    const warn = (key: string, message: string): Problem => ({
      severity: 'warning',
      path: `$.rules[${index}].${key}`,
      message,
    });
    return [
      ...expressionsIn(commandWords(rule.command), IN_COMMAND, 'git push *').map((text) =>
        warn('command', text),
      ),
      ...expressionsIn(pathsOf(rule.path), IN_PATH, '**/*.env').map((text) => warn('path', text)),
      ...pathsOf(rule.path)
        .filter((text) => /^(?:\$(?!\{)|%\w+%)/.test(text))
        .map((text) =>
          warn('path', `"${text}" is the name of a file; variables are \${workspace} and \${home}`),
        ),
      ...(runsNothing(rule)
        ? [warn('command', 'no tool of this rule runs commands: execute_bash and exec do')]
        : []),
      ...(rule.approval !== undefined && rule.effect !== 'ask'
        ? [warn('approval', `nobody is asked by a rule whose effect is ${rule.effect}`)]
        : []),
      ...shadowedBy(rule, denied).map((other) =>
        warn('tool', `never counts: the rule ${other.id ?? 'before it'} denies all calls of these tools`),
      ),
    ];
  });
}

/** Of a command `.*` is none of ours; of a path it is an ending, as in `.env.*`. */
const IN_COMMAND = /\.[*+]|\\[.swdbAzZ]|^\^|\(\?|[^\\]\$$/;
const IN_PATH = /\\[.swdbAzZ]|^\^|\(\?|[^\\]\$$/;

function expressionsIn(texts: readonly string[], marks: RegExp, glob: string): string[] {
  return texts
    .filter((text) => marks.test(text))
    .map(
      (text) => `"${text}" looks like a regular expression; here * stands for any letters, as in "${glob}"`,
    );
}

function commandWords(command: RuleFile['command']): readonly string[] {
  const files: readonly CommandFile[] =
    command === undefined ? [] : Array.isArray(command) ? command : [command];
  return files.flatMap((file) =>
    typeof file === 'string' ? [file] : [...many(file.program), ...many(file.subcommand)],
  );
}

function pathsOf(path: RuleFile['path']): readonly string[] {
  if (path === undefined) return [];
  if (typeof path === 'string') return [path];
  if (isList(path)) return path;
  return [...many(path.within), ...many(path.globs), ...many(path.except)];
}

function isList(path: readonly string[] | PathFile): path is readonly string[] {
  return Array.isArray(path);
}

function toolsOf(rule: RuleFile): readonly string[] {
  return many(rule.tool).map(toolPattern);
}

/** Names that start commands, or may: hooks, globs, tools of servers that nobody knows. */
function runsNothing(rule: RuleFile): boolean {
  if (rule.command === undefined || rule.tool === undefined) return false;
  return toolsOf(rule).every((name) => !/^(?:execute_bash|exec|hook:|@builtin)/.test(name) && !isGlob(name));
}

function isPlainDenial(rule: RuleFile): boolean {
  const { effect, tool, command, path, host, args, when, rate } = rule;
  const isNarrowed = [command, path, host, args, when, rate].some((part) => part !== undefined);
  return effect === 'deny' && tool !== undefined && !isNarrowed;
}

function shadowedBy(rule: RuleFile, denied: ReadonlyMap<string, RuleFile>): readonly RuleFile[] {
  if (rule.effect === 'deny' || rule.tool === undefined) return [];
  const others = toolsOf(rule).map((tool) => denied.get(tool));
  const [first] = others;
  return first !== undefined && others.every((other) => other !== undefined) ? [first] : [];
}
