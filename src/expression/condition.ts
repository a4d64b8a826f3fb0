import type { ASTNode } from '@marcbachmann/cel-js';
import type { Json } from '../definition/workflow.ts';
import { literal } from './evaluate.ts';
import { EvaluationFault } from './expression-error.ts';
import { typeName } from './operators.ts';

const NUMBERS: ReadonlySet<string> = new Set(['size', 'int', 'double', 'indexOf', 'lastIndexOf']);
const STRINGS: ReadonlySet<string> = new Set([
  'string',
  'type',
  'lowerAscii',
  'upperAscii',
  'trim',
  'substring',
  'join',
]);
const LISTS: ReadonlySet<string> = new Set(['split', 'map', 'filter']);

/** Throws an EvaluationFault when the tree can never be true or false, whatever the values of its names. */
export function refuseNeverBool(node: ASTNode): void {
  const never = neverBool(node);
  if (never === null) return;
  throw new EvaluationFault(notBool(never.kind), never.at);
}

export function notBool(kind: string): string {
  return `a condition must be true or false, this one is ${kind}`;
}

interface Never {
  readonly kind: string;
  readonly at: number;
}

function neverBool(node: ASTNode): Never | null {
  const kind = kindOf(node);
  if (kind !== null) return { kind, at: node.pos };
  if (node.op !== '?:') return null;
  const [, yes, no] = node.args;
  return neverBool(no) === null ? null : neverBool(yes);
}

/** What the value is for certain, when that is no bool. */
function kindOf(node: ASTNode): string | null {
  switch (node.op) {
    case 'value': {
      const value: Json = literal(node.args);
      return typeof value === 'boolean' ? null : `a ${typeName(value)}`;
    }
    case 'list':
      return 'a list';
    case 'map':
      return 'a map';
    case '+':
      return 'no bool';
    case '-':
    case '*':
    case '/':
    case '%':
    case '-_':
      return 'a number';
    case 'call':
    case 'rcall':
      return kindOfCall(node.args[0]);
    default:
      return null;
  }
}

function kindOfCall(name: string): string | null {
  if (NUMBERS.has(name)) return 'a number';
  if (STRINGS.has(name)) return 'a string';
  return LISTS.has(name) ? 'a list' : null;
}
