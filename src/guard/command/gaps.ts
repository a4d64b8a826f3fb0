import { type Command, forEachChild, type SyntaxNode, type Word } from 'unbash';

// The parser is tolerant: it drops some stray characters without an error (`git( push`, `then :; ; fi`). Bash refuses
// such text, but nothing may be dropped unseen, so what stands between the nodes is looked at too.

const BLANK = /^(?:[ \t]|\\\n)*$/;

/** Whether only blanks stand between the words of a command, and no operator within them. */
export function isGapless(source: string, node: Command): boolean {
  const parts = node.name === undefined ? node.prefix : [...node.prefix, node.name, ...node.suffix];
  let end = node.pos;
  for (const part of parts) {
    if (!BLANK.test(source.slice(end, part.pos))) return false;
    if (part.type === 'Word' && !isWord(part)) return false;
    end = part.end;
  }
  return BLANK.test(source.slice(end, node.end));
}

const OPERATOR = /(?:^|[^\\])(?:\\\\)*[()<>&|;`]/;

/** A word without parts has no quotes and no expansions, so no unescaped operator either. */
export function isWord(word: Word): boolean {
  return word.parts !== undefined || !OPERATOR.test(word.text);
}

/** Characters that never stand between the children of these, outside of words. */
const NEVER: ReadonlyMap<SyntaxNode['type'], RegExp> = new Map([
  ['Script', /[^\s;&|]/],
  ['CompoundList', /[^\s;&|]/],
  ['AndOr', /[^\s;&|]/],
  ['If', /[!(){}|]/],
  ['Elif', /[!(){}|]/],
  ['While', /[!(){}|]/],
  ['For', /[!()|]/],
  ['Select', /[!()|]/],
  ['ArithmeticFor', /[!|]/],
  ['Subshell', /[!{}|]/],
  ['BraceGroup', /[!()|]/],
]);
const STRAY = /[;&|\n]\s*;(?![;&])|;[ \t]*[&|]/;

/** Whether no separator stands directly behind another one, and nothing else between commands. */
export function isOrderly(source: string, node: SyntaxNode): boolean {
  const never = NEVER.get(node.type);
  if (never === undefined) return true;
  let isFine = true;
  let end = node.pos;
  const check = (next: number) => {
    if (next <= end) return;
    // A command in the background ends in its own `&`.
    const gap = (source[end - 1] === '&' ? '&' : '') + ownText(source, end, next);
    if (gap !== '' && (never.test(gap) || STRAY.test(gap))) isFine = false;
  };
  forEachChild(node, (child) => {
    check(child.pos);
    end = child.end;
  });
  check(node.end);
  return isFine;
}

/** Without comments; behind a newline may be the text of a here-document, which is looked at elsewhere. */
function ownText(source: string, from: number, to: number): string {
  const gap = source.slice(from, to).replaceAll('\\\n', ' ');
  if (!gap.includes('\n') && !gap.includes('#')) return gap;
  const line = source.includes('<<') ? (/^[^\n]*/.exec(gap)?.[0] ?? '') : gap;
  return line.replaceAll(/#[^\n]*/g, '');
}
