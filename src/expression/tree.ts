import type { ASTNode } from '@marcbachmann/cel-js';
import { NAMES_ROOT } from './scope.ts';

/** The step id or bare name that a node of the form `steps["id"]`, `steps.id` or `__names["x"]` names. */
export function namedBy(
  node: ASTNode,
): { readonly root: 'steps' | typeof NAMES_ROOT; readonly name: string } | null {
  const place = fieldOfNode(node);
  if (place?.receiver.op !== 'id') return null;
  const root = place.receiver.args;
  return root === 'steps' || root === NAMES_ROOT ? { root, name: place.name } : null;
}

/** The parts of `x.name` and `x["name"]`; null for every other node. */
export function fieldOfNode(
  node: ASTNode,
): { readonly receiver: ASTNode; readonly name: string; readonly at: number } | null {
  if (node.op === '.') return { receiver: node.args[0], name: node.args[1], at: node.pos };
  if (node.op !== '[]') return null;
  const [receiver, key] = node.args;
  return key.op === 'value' && typeof key.args === 'string'
    ? { receiver, name: key.args, at: key.pos }
    : null;
}

/** The nodes right below a node. */
export function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case '!_':
    case '-_':
      return [node.args];
    case 'map':
      return node.args.flat();
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'list':
    case '[]':
    case '[?]':
    case '?:':
    case '||':
    case '&&':
    case '==':
    case '!=':
    case 'in':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return node.args;
  }
}
