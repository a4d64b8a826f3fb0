import type {
  Assignment as AssignmentNode,
  CommandArgument,
  ParameterExpansionPart,
  Redirection,
  Redirect as RedirectNode,
  SyntaxNode,
  Word,
} from 'unbash';
import type { Collector, Frame } from './collector.ts';
import { holdsCode, judgeAssignment } from './environment.ts';
import { isWord } from './gaps.ts';
import { fillingsOf } from './known.ts';
import { noteGiven } from './lent-variables.ts';
import type { Argument, Redirect } from './reading.ts';
import { singleValue, wordValues } from './words.ts';

/** What a piece of syntax means beside the commands in it: redirects, variables, arithmetic, doubts. */
export function note(collector: Collector, frame: Frame, node: SyntaxNode): void {
  switch (node.type) {
    case 'For':
    case 'Select':
      if (node.type === 'Select') noteBash(collector, frame, 'select');
      noteGiven(collector, frame, node.name.text, node.wordlist ?? []);
      for (const value of listValues(collector, frame, node.wordlist))
        assign(collector, node.name.text, value);
      break;
    case 'ArithmeticFor':
      noteBash(collector, frame, '((');
      if (!/^for\s*\(\(/.test(frame.source.slice(node.pos, node.end)))
        collector.problem('not readable as shell: an arithmetic for with one parenthesis');
      for (const part of [node.initialize, node.test, node.update])
        if (part !== undefined) collector.arithmetic.use(frame.source.slice(part.pos, part.end));
      break;
    case 'ArithmeticCommand':
      noteBash(collector, frame, '((');
      collector.arithmetic.use(node.body);
      break;
    case 'ArithmeticExpansion':
      collector.arithmetic.use(node.text.slice(node.text.startsWith('$((') ? 3 : 2));
      break;
    case 'Coproc':
      noteBash(collector, frame, 'coproc');
      if (node.name !== undefined) assign(collector, node.name.text, null);
      break;
    case 'TestCommand':
      noteBash(collector, frame, '[[');
      break;
    case 'TestBinary':
      if (COMPARISONS.has(node.operator))
        for (const word of [node.left, node.right]) collector.arithmetic.use(word.text);
      break;
    case 'TestUnary':
      if (node.operator === '-v') collector.arithmetic.use(node.operand.text);
      break;
    case 'Redirect':
      noteRedirect(collector, frame, node);
      if (node.target !== undefined && !isWord(node.target))
        collector.problem('not readable as shell: an operator within a word');
      break;
    case 'HereDoc':
      if (node.closing === undefined || node.delimiter === undefined)
        collector.problem('a here-document has no end');
      break;
    case 'HereString':
      noteBash(collector, frame, '<<<');
      break;
    case 'Pipeline':
      if (node.commands.length === 0 || node.commands.some(({ pos, end }) => pos >= end))
        collector.problem('not readable as shell: nothing stands behind "!" or "time"');
      if (node.operators.includes('|&')) noteBash(collector, frame, '|&');
      break;
    case 'Assignment':
      noteAssignmentNode(collector, frame, node);
      break;
    case 'ArrayValue':
      noteBash(collector, frame, 'name=(…)');
      for (const { text } of node.elements) if (text.startsWith('[')) collector.arithmetic.use(text);
      break;
    case 'ParameterExpansion':
      noteParameter(collector, frame, node);
      break;
    case 'ExtendedGlob':
      collector.problem(`the pattern "${node.text}" is read only under shopt -s extglob`);
      break;
    case 'LocaleString':
      collector.problem('text in $"…" may be translated');
      break;
    case 'ProcessSubstitution':
      noteBash(collector, frame, '<(');
      noteScript(collector, node);
      break;
    case 'CommandExpansion':
    case 'ArithmeticCommandExpansion':
      noteScript(collector, node);
      break;
    case 'AnsiCQuoted':
      noteBash(collector, frame, "$'…'");
      break;
    case 'BraceExpansion':
      noteBash(collector, frame, '{…,…}');
      break;
    default:
  }
}

/** What a loop goes through. A list is filled in by patterns alone; where they look counts as read. */
function listValues(
  collector: Collector,
  frame: Frame,
  wordlist: readonly Word[] | undefined,
): readonly Argument[] {
  const [filling] = fillingsOf(frame, []);
  const files = (pattern: string): readonly string[] | null => {
    const found = filling?.files(pattern) ?? null;
    for (const path of found ?? []) collector.redirect(frame, { path, mode: 'read' });
    return found;
  };
  return wordlist?.flatMap((word) => wordValues(word, { variables: new Map(), files })) ?? [null];
}

const COMPARISONS = new Set(['-eq', '-ne', '-lt', '-le', '-gt', '-ge']);

function noteScript(collector: Collector, node: SyntaxNode & { readonly script: unknown }): void {
  if (node.script === undefined) collector.problem('a substitution could not be read');
}

const MODES: Readonly<Record<RedirectNode['operator'], Redirect['mode']>> = {
  '<': 'read',
  '<&': 'read',
  '<>': 'read_write',
  '>': 'write',
  '>|': 'write',
  '>&': 'write',
  '&>': 'write',
  '>>': 'append',
  '&>>': 'append',
};

function noteRedirect(collector: Collector, frame: Frame, node: RedirectNode): void {
  if (node.target === undefined) collector.problem('a redirection has no target');
  if (node.operator.startsWith('&')) noteBash(collector, frame, node.operator);
  if (node.descriptor?.type === 'FileDescriptorVariable') {
    noteBash(collector, frame, '{name}>');
    assign(collector, node.descriptor.name, null);
  }
  // `> 2>&1`: bash reads the number as part of the second operator, and refuses.
  if (
    node.target !== undefined &&
    /^\d+$/.test(node.target.text) &&
    /[<>]/.test(frame.source[node.target.end] ?? '')
  )
    collector.problem('not readable as shell: a redirection without a target');
  const { target } = node;
  const paths =
    target === undefined ? [null] : fillingsOf(frame, [target]).map((each) => singleValue(target, each));
  for (const path of new Set(paths)) noteTarget(collector, frame, node, path);
}

function noteTarget(collector: Collector, frame: Frame, node: RedirectNode, path: string | null): void {
  const isDuplicate = node.operator.endsWith('&');
  // `2>&1`, `>&-` and `3<&4-` name descriptors, no files.
  if (isDuplicate && path !== null && /^(?:\d+-?|-)$/.test(path)) return;
  if (isDuplicate) noteBash(collector, frame, node.operator);
  if (path !== null && /^\/dev\/(?:tcp|udp)\//.test(path))
    collector.problem(`a redirection opens a network connection: ${path}`);
  const text = path === null && node.target !== undefined ? { text: node.target.text } : {};
  collector.redirect(frame, { path, mode: MODES[node.operator], ...text });
}

function noteAssignmentNode(collector: Collector, frame: Frame, node: AssignmentNode): void {
  const { value, index } = node;
  noteGiven(collector, frame, node.name, value.type === 'Word' ? [value] : value.elements);
  const text = value.type === 'Word' ? singleValue(value) : null;
  const isWhole = index === undefined && node.append !== true;
  noteAssignment(
    collector,
    node.name,
    value.type === 'Word' ? valueOrNumber(value) : null,
    isWhole ? text : null,
  );
  if (index !== undefined) collector.arithmetic.use(index.text);
  if (node.append === true) noteBash(collector, frame, 'name+=…');
}

/** `held` is what the variable holds then: not a part of it, nor a number like it. */
function noteAssignment(
  collector: Collector,
  name: string,
  value: string | null,
  held: string | null = value,
): void {
  assign(collector, name, value, held);
  if (value !== null && holdsCode(value))
    collector.problem(`the value of "${name}" holds an expansion as text`);
}

/** The result of arithmetic is a number, whichever. */
function valueOrNumber(word: Word): string | null {
  const { parts } = word;
  return parts?.length === 1 && parts[0]?.type === 'ArithmeticExpansion' ? '0' : singleValue(word);
}

function assign(collector: Collector, name: string, value: string | null, held: string | null = value): void {
  collector.arithmetic.assign(name, value);
  collector.variables.assign(name, held);
  const hazard = judgeAssignment(name);
  if (hazard !== null) collector.hazard(hazard);
}

function noteParameter(collector: Collector, frame: Frame, node: ParameterExpansionPart): void {
  const { index, operation } = node;
  const isList = index !== undefined && /^[@*]$/.test(index.text);
  if (node.prefix === '!' && !isList && operation?.type !== 'Names')
    collector.problem(`"${node.text}" uses the value of a variable as a name`);
  if (index !== undefined && !isList) collector.arithmetic.use(index.text);
  if (operation?.type === 'Slice')
    for (const word of [operation.offset, operation.length])
      if (word !== undefined) collector.arithmetic.use(word.text);
  if (operation?.type === 'Transform' && operation.operand.text === 'P')
    collector.problem(`"${node.text}" expands a value as a prompt`);
  if (operation?.type === 'Unknown') collector.problem(`"${node.text}" is an expansion that isn't known`);
  if (operation?.type === 'Default' && operation.operator.endsWith('=')) {
    noteGiven(collector, frame, node.parameter, [operation.operand]);
    const value = singleValue(operation.operand);
    // Within double quotes those of the value are a part of it, and an index may be meant.
    const isPlain = index === undefined && /^[\w./-]+$/.test(operation.operand.text);
    noteAssignment(collector, node.parameter, value, isPlain ? value : null);
  }
}

const DECLARES = new Set(['declare', 'typeset', 'local', 'export', 'readonly']);

/**
 * Builtins that evaluate subscripts in their arguments: a variable without quotes may become `-v a[$(git push)]` for
 * `[`, any variable `a[$(git push)]=` for `declare`.
 */
export function noteNames(
  collector: Collector,
  words: readonly Argument[],
  suffix: readonly (CommandArgument | Redirection)[],
): void {
  const isTest = words.includes('[') || words.includes('test');
  if (!isTest && !words.some((word) => word !== null && DECLARES.has(word))) return;
  for (const part of suffix) {
    // Measured: `x=(1); declare x=$y` expands the value again when it looks like `($(git push))`.
    if (
      !isTest &&
      part.type === 'Assignment' &&
      (part.value.type !== 'Word' || valueOrNumber(part.value) === null)
    )
      collector.problem(`${part.text} may be expanded a second time`);
    if (part.type !== 'Word' || !wordValues(part).includes(null)) continue;
    if (isTest && isWhole(part)) continue;
    // A counter without quotes is usual; it is safe as long as it can hold a number only.
    if (isTest && /^\$\w+$/.test(part.text)) collector.arithmetic.use(part.text);
    else collector.problem(`${part.text} may become a name with a subscript, which the builtin evaluates`);
  }
}

const UNSPLIT: ReadonlySet<string> = new Set([
  'Literal',
  'SingleQuoted',
  'DoubleQuoted',
  'AnsiCQuoted',
  'ArithmeticExpansion',
]);

/** Whether a word stays one word, and no pattern, whatever its variables hold. */
export function isWhole(word: Word): boolean {
  if (/^\$[#?$!]$/.test(word.text)) return true;
  if (/\$\{?@|\[@\]/.test(word.text) || word.text.startsWith('~')) return false;
  return (word.parts ?? []).every(({ type }) => UNSPLIT.has(type));
}

/** What bash reads one way and another shell another way. */
export function noteBash(collector: Collector, frame: Frame, construct: string): void {
  if (frame.dialect === 'sh')
    collector.problem(`${construct} means something else in a shell that isn't bash`);
}
