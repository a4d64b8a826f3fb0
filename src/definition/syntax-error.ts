/** Where and how a text breaks the grammar of JSON. `JSON.parse` leaves the place out for some errors. */
export interface SyntaxFault {
  readonly offset: number;
  readonly message: string;
}

const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?![\w.+-])/y;

type Expected = 'value' | 'first value' | 'key' | 'first key' | 'colon' | 'comma' | 'end';

/** The first fault of a text that `JSON.parse` refused. Needs no stack, whatever the nesting. */
export function locateSyntaxError(source: string): SyntaxFault {
  const open: ('[' | '{')[] = [];
  let expected: Expected = 'value';
  let offset = 0;
  const afterValue = (): Expected => (open.length === 0 ? 'end' : 'comma');
  for (;;) {
    offset += lengthOf(SPACE, source, offset);
    const char = source[offset];
    if (char === undefined) return { offset, message: endMessage(expected, open.at(-1)) };
    const inner = open.at(-1);
    const closer = inner === '[' ? ']' : '}';
    const mayClose = expected === 'comma' || expected === 'first value' || expected === 'first key';
    if (inner !== undefined && char === closer && mayClose) {
      open.pop();
      offset++;
      expected = afterValue();
    } else if ((expected === 'value' || expected === 'first value') && (char === '[' || char === '{')) {
      open.push(char);
      offset++;
      expected = char === '[' ? 'first value' : 'first key';
    } else if (expected === 'comma' && char === ',') {
      offset++;
      expected = inner === '[' ? 'value' : 'key';
    } else if (expected === 'colon' && char === ':') {
      offset++;
      expected = 'value';
    } else {
      const isKey: boolean = expected === 'key' || expected === 'first key';
      const isValue: boolean = expected === 'value' || expected === 'first value';
      const length: number =
        (isKey || isValue ? lengthOf(STRING, source, offset) : 0) ||
        (isValue ? lengthOf(SCALAR, source, offset) : 0);
      if (length === 0) return { offset, message: faultMessage(expected, source, offset, closer) };
      offset += length;
      expected = isKey ? 'colon' : afterValue();
    }
  }
}

function lengthOf(pattern: RegExp, source: string, offset: number): number {
  pattern.lastIndex = offset;
  return pattern.exec(source)?.[0].length ?? 0;
}

const WANTED: Readonly<Record<Expected, string>> = {
  value: 'a value',
  'first value': 'a value or "]"',
  key: 'a key in double quotes',
  'first key': 'a key in double quotes or "}"',
  colon: '":" after the key',
  comma: '"," or the closing bracket',
  end: 'nothing after the end',
};

function endMessage(expected: Expected, inner: string | undefined): string {
  if (inner === undefined) return 'the text is empty';
  return `the text ends too early, expected ${expected === 'comma' ? `"," or "${inner === '[' ? ']' : '}'}"` : WANTED[expected]}`;
}

function faultMessage(expected: Expected, source: string, offset: number, closer: string): string {
  const char = source[offset] ?? '';
  if (char === closer && (expected === 'value' || expected === 'key'))
    return `a comma before "${char}" is not allowed`;
  if (source.startsWith('//', offset) || source.startsWith('/*', offset)) return 'comments are not allowed';
  if (char === '"') {
    if (expected === 'comma') return 'a comma is missing before this string';
    if (expected !== 'colon' && expected !== 'end') return 'a string is not closed or has a wrong escape';
  }
  const word = /^[\w$'.+-]{1,20}/.exec(source.slice(offset, offset + 20))?.[0] ?? char;
  return `unexpected ${JSON.stringify(word)}, expected ${WANTED[expected]}`;
}
