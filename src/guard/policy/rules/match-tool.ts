import { type Access, canonicalTool, foldName, likelyTool, nativeTool } from '../../tools.ts';
import type { Subject } from '../calls/subject.ts';
import { fitsGlob, fitsGlobFolded, isGlob } from './text-glob.ts';

/** A name of a tool in a rule, aliases resolved. `@server` alone means all tools of that server. */
export function toolPattern(text: string): string {
  return /^@[^/]+$/.test(text) && text !== '@builtin' ? `${text}/*` : canonicalTool(text);
}

/** Every name that a switch or rule may have for a tool: as called, of its alias, and of what it is likely to mean. */
export function toolNames(called: string): readonly string[] {
  const meant = [canonicalTool(called), likelyTool(called)];
  return [...new Set([called, ...meant, ...meant.flatMap((name) => nativeTool(name)?.aliases ?? [])])];
}

/** Whether a rule that permits surely speaks of this tool: by its exact name, or a glob that known names fit. */
export function isSurelyTool(patterns: readonly string[], { tool, call, likelyTool }: Subject): boolean {
  const isKnown = nativeTool(tool) !== null || /^@[\w.-]+\/[\w.-]+$/.test(tool);
  return patterns.some((pattern) => {
    if (pattern === '*') return call.kind === 'tool' && likelyTool === tool;
    if (pattern === '@builtin') return nativeTool(tool) !== null;
    if (isGlob(pattern))
      return (isKnown || call.kind !== 'tool') && isSameKind(pattern, tool) && fitsGlob(pattern, tool);
    return pattern === tool;
  });
}

/** Whether a rule that guards may speak of this tool, however it is written. */
export function mayBeTool(patterns: readonly string[], { tool, likelyTool, call }: Subject): boolean {
  return patterns.some((pattern) => {
    if (pattern === '*') return call.kind === 'tool';
    if (pattern === '@builtin') return nativeTool(likelyTool) !== null;
    return [tool, likelyTool, call.tool, ...startedBy(likelyTool, call)].some(
      (name) =>
        isSameKind(pattern, name) &&
        (fitsGlobFolded(pattern, name) ||
          (isOdd(name) && fitsGlob(foldName(pattern), serverForm(foldName(name))))),
    );
  });
}

/** A skill that an agent uses is started like one of a step: who forbids `spawn:NAME` means it too. */
function startedBy(tool: string, { kind, args }: Subject['call']): readonly string[] {
  const skill = kind === 'tool' && tool === 'use_skill' ? args['skill'] : undefined;
  return typeof skill === 'string' ? [`spawn:${skill}`] : [];
}

/** Has letters that a name of a tool has not, or no tool behind the name of its server. */
function isOdd(name: string): boolean {
  return !/^[\w.:-]+$|^@[\w.-]+\/[\w.-]+$/.test(name);
}

/** `@server` alone may be any of its tools. */
function serverForm(name: string): string {
  return /^@[^/]+$/.test(name) ? `${name}/` : name;
}

/** `model:*`, `spawn:*` and `hook:*` are no tools, and no glob of tools fits them. */
function isSameKind(pattern: string, name: string): boolean {
  const kind = (text: string): string => /^(model|spawn|schedule|hook):/.exec(text)?.[1] ?? 'tool';
  return kind(pattern) === kind(name);
}

/** How the tools that a rule names touch files; null when it names none that does. */
export function accessOf(patterns: readonly string[] | null): readonly Access[] | null {
  if (patterns === null) return ['read', 'write'];
  const accesses = patterns.flatMap((pattern): readonly Access[] => {
    if (pattern === 'fs_write') return ['write'];
    if (pattern === 'fs_read' || pattern === 'fs_list' || pattern === 'search') return ['read'];
    const isFile = ['fs_read', 'fs_write'].filter((name) => fitsGlob(pattern, name));
    if (isFile.length > 0 && isFile.length < 2) return isFile[0] === 'fs_read' ? ['read'] : ['write'];
    const isAny = isFile.length === 2 || ['execute_bash', 'exec', '@builtin'].includes(pattern);
    return isAny ? ['read', 'write'] : [];
  });
  return accesses.length === 0 ? null : [...new Set(accesses)];
}
