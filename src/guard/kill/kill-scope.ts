import { WorkflowError } from '../../errors/workflow-error.ts';
import { canonicalTool } from '../tools.ts';

/** What a kill switch covers, in its written form: `global`, `workflow:NAME`, `step:ID/PATH` and so on. */
export type KillScope = string;

/** What is about to happen, or runs: each part that is known, null for what does not apply. */
export interface KillSubject {
  readonly workflow: string;
  readonly instance: string;
  readonly agent: string | null;
  /** Canonical name; `@server/tool` for tools of an MCP server. */
  readonly tool: string | null;
  /** Path of a step. */
  readonly path: string | null;
}

/** The run as a whole, as kill switches see it. */
export function wholeRun({ id, workflow }: { readonly id: string; readonly workflow: string }): KillSubject {
  return { workflow, instance: id, agent: null, tool: null, path: null };
}

/** Instances: the whole run is ended. Others: what of a run is covered is ended and refused from then on. */
export type ScopeKind = 'global' | 'workflow' | 'agent' | 'tool' | 'instance' | 'step';

const KINDS = 'global, workflow:NAME, agent:NAME, tool:NAME, instance:ID or step:ID/PATH';
const EXACT = /[*?]|@builtin$/;
// Nothing has a star in its name: a switch for `tool:*` would say that it is tripped, and cover nothing.
const NAME = /^[^\s:/*?]+$/;
const TOOL = /^(?:[^\s:/@*?]+|@(?!builtin$)[^\s:/*?]+(?:\/[^\s:/*?]+)?)$/;
const STEP = /^[0-9a-z]+\/[^\s]+$/;

/** Reads a scope as a person writes it. Throws USAGE that names the forms. */
export function parseKillScope(text: string): KillScope {
  if (isKillScope(text)) return text.startsWith('tool:') ? `tool:${canonicalTool(text.slice(5))}` : text;
  const more = EXACT.test(text) ? ' Names are exact; global covers all.' : '';
  throw new WorkflowError('USAGE', `"${text}" is no scope of a kill switch`, {
    hint: `Give ${KINDS}.${more}`,
  });
}

/** Whether a text is a scope that may cover something. */
export function isKillScope(text: string): boolean {
  if (text === 'global') return true;
  const at = text.indexOf(':');
  const [kind, rest] = at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
  return { workflow: NAME, agent: NAME, instance: NAME, tool: TOOL, step: STEP }[kind]?.test(rest) ?? false;
}

export function kindOf(scope: KillScope): ScopeKind {
  return scope.split(':', 1)[0] as ScopeKind;
}

/** Of these scopes parts of runs are ended, of the others whole runs. */
export function isPart(scope: KillScope): boolean {
  return ['agent', 'tool', 'step'].includes(kindOf(scope));
}

/** Every scope that covers a subject, the widest first. */
export function scopesOver(subject: KillSubject): KillScope[] {
  const { workflow, instance, agent, tool, path } = subject;
  const scopes = ['global', `workflow:${workflow}`];
  if (agent !== null) scopes.push(`agent:${agent}`);
  if (tool !== null) {
    const [server] = tool.split('/');
    if (tool.startsWith('@') && server !== undefined && server !== tool) scopes.push(`tool:${server}`);
    scopes.push(`tool:${tool}`);
  }
  scopes.push(`instance:${instance}`);
  if (path !== null) for (const each of pathsOver(path)) scopes.push(`step:${instance}/${each}`);
  return scopes;
}

/** Whether a scope covers a subject. */
export function covers(scope: KillScope, subject: KillSubject): boolean {
  return scopesOver(subject).includes(scope);
}

/** Whether a scope is about an MCP server, or about a tool of it: all its tools share one process. */
export function coversServer(scope: KillScope, server: string): boolean {
  return scope === `tool:@${server}` || scope.startsWith(`tool:@${server}/`);
}

/** What tells from outside which scopes may cover something of an instance. */
export interface KillTarget {
  readonly id: string;
  readonly workflow: string;
  /** Agents that its workflow names; null when nobody can tell: then it may hold any. */
  readonly agents: readonly string[] | null;
}

/** Whether an instance is covered by a scope, or may hold parts that are. */
export function mayHold(scope: KillScope, { id, workflow, agents }: KillTarget): boolean {
  const name = scope.slice(scope.indexOf(':') + 1);
  switch (kindOf(scope)) {
    case 'global':
      return true;
    case 'workflow':
      return name === workflow;
    case 'instance':
      return name === id;
    case 'step':
      return name.startsWith(`${id}/`);
    case 'agent':
      return agents === null || agents.includes(name);
    case 'tool':
      return agents === null || agents.length > 0;
  }
}

/** `loop[2]/group~2/a` lies in `loop`, `loop[2]`, `loop[2]/group`, `loop[2]/group~2` and is itself. */
function pathsOver(path: string): string[] {
  const found: string[] = [];
  let above = '';
  for (const part of path.split('/')) {
    const plain = part.replace(/(?:\[\d+\]|~\d+)+$/, '');
    if (plain !== part) found.push(`${above}${plain}`);
    found.push(`${above}${part}`);
    above = `${above}${part}/`;
  }
  return found;
}
