import type { Json, JsonObject } from '../../../definition/workflow.ts';
import { type Access, canonicalTool, likelyTool, type NativeTool, nativeTool } from '../../tools.ts';
import { basesOf, guessedPlaces, isFileUrl, openDestinations, pathUses } from '../rules/open-places.ts';
import type { GuardedCall } from './call.ts';
import { textsOf } from './call-texts.ts';
import { PathReader } from './path-reader.ts';
import { readShell } from './read-shell.ts';
import type { FileFacts } from './resolve-path.ts';
import type { Doubt, Part, PathUse, Subject } from './subject.ts';
import { readUrl } from './url.ts';

/** Facts about the machine that a decision needs besides the call. */
export interface CallFacts {
  readonly files: FileFacts;
  /** The user's home folder, absolute. */
  readonly home: string;
}

/** Works out what a call would touch. Never throws for what an agent may send. */
export function readCall(call: GuardedCall, { files, home }: CallFacts): Subject {
  const paths = new PathReader(call, files, home);
  const tool = call.kind === 'tool' ? canonicalTool(call.tool) : `${call.kind}:${call.tool}`;
  const likely = call.kind === 'tool' ? likelyTool(call.tool) : tool;
  const roots = { workspace: paths.workspace, home: paths.real(home) };
  const read =
    tool === 'execute_bash' || tool === 'exec'
      ? readShell(tool, call.args, paths)
      : call.kind === 'hook'
        ? readShell('execute_bash', call.args, paths)
        : readPlain(tool, call, paths);
  const named: Doubt[] =
    likely === tool
      ? []
      : [{ kind: 'unread', text: `the tool "${call.tool}" is not "${likely}", but looks like it` }];
  const looked: Doubt[] = paths.isExhausted
    ? [{ kind: 'unread', text: 'its paths lead through more names than are looked at' }]
    : [];
  return {
    call,
    tool,
    likelyTool: likely,
    roots,
    files,
    parts: read.parts,
    doubts: [
      ...named,
      ...looked,
      ...read.doubts,
      ...read.parts.flatMap((part) => part.paths.flatMap(pathDoubts)),
    ],
  };
}

interface Read {
  readonly parts: readonly Part[];
  readonly doubts: readonly Doubt[];
}

function readPlain(tool: string, call: GuardedCall, paths: PathReader): Read {
  const native = nativeTool(tool);
  const destination = typeof call.args['url'] === 'string' ? readUrl(call.args['url']) : null;
  const isFetch = tool === 'http_fetch';
  const doubts: Doubt[] = [];
  if (isFetch && destination === null) doubts.push({ kind: 'unread', text: 'its url is not a text' });
  if (isFetch && destination !== null && destination.doubt !== null)
    doubts.push({
      kind: 'unread',
      text: `the URL ${JSON.stringify(destination.spelled)}: ${destination.doubt}`,
    });
  if (isFetch && hasHostHeader(call.args['headers']))
    doubts.push({ kind: 'unread', text: 'a header names another host' });
  const { texts, isCut } = textsOf(openArguments(tool, native, call.args));
  const { bases, isCut: hasMoreBases } = basesOf(native === null ? texts : [], paths);
  if (isCut || hasMoreBases)
    doubts.push({ kind: 'unread', text: 'it has more texts that may be paths than are looked at' });
  const known = native === null ? [] : nativePaths(native, call, paths);
  // Without any argument it is no call yet: so it is asked whether a tool is trusted at all.
  if (known.some(({ spelled }) => spelled === null) && Object.keys(call.args).length > 0)
    doubts.push({ kind: 'unread', text: 'a path of it is not a text' });
  const isAny = native === null || isOpen(tool);
  const accesses = isAny ? BOTH : accessesOf(native);
  const part: Part = {
    kind: 'call',
    text: call.tool,
    command: null,
    paths: [...known, ...texts.flatMap((each) => pathUses(each, accesses, paths, bases))],
    destinations: native === null ? openDestinations(texts) : destination === null ? [] : [destination],
    guessedHosts: isAny ? guessedPlaces(texts) : [],
    hasOpenDestination: isFetch && destination?.host === null,
    isTransparent: false,
  };
  return { parts: [part], doubts };
}

const BOTH: readonly Access[] = ['read', 'write'];

/** Tools that we know by name, and not what they do with their arguments: some of Q, and whatever a skill does. */
function isOpen(tool: string): boolean {
  return tool === 'knowledge' || tool === 'use_aws' || tool === 'delegate' || tool === 'use_skill';
}

function accessesOf(native: NativeTool): Access[] {
  return [...new Set<Access>(Object.values(native.paths))];
}

/** What a tool of ours does with the arguments that it knows is known; any other text may be a path. */
function openArguments(tool: string, native: NativeTool | null, args: JsonObject): JsonObject {
  if (native === null || isOpen(tool)) return args;
  if (accessesOf(native).length === 0) return {};
  const isText = (name: string): boolean => typeof args[name] === 'string';
  return Object.fromEntries(
    Object.entries(args).filter(
      ([name]) => !native.args.includes(name) || (Object.hasOwn(native.paths, name) && !isText(name)),
    ),
  );
}

function nativePaths(native: NativeTool, { tool, args }: GuardedCall, paths: PathReader): PathUse[] {
  const known = Object.entries(native.paths).flatMap(([name, access]): PathUse[] => {
    const value = args[name];
    if (value === undefined && native.hasImpliedPath) return [paths.use('.', [access], true)];
    // Q's own form of fs_read names its files one level deeper.
    if (value === undefined && hasOperations(args)) return [];
    if (typeof value === 'string' && isFileUrl(value))
      return pathUses({ name, text: value }, [access], paths, [paths.cwd]);
    return [paths.use(typeof value === 'string' && value !== '' ? value : null, [access], true)];
  });
  // The tool that is called `glob` has it for a pattern, and a pattern may say where.
  const patterns =
    native === nativeTool('search') ? [args['glob'], tool === 'glob' ? args['pattern'] : null] : [];
  return [
    ...known,
    ...patterns.flatMap((pattern) => (typeof pattern === 'string' ? placeOf(pattern, paths) : [])),
  ];
}

/** The folder that a pattern of files begins in, where it names one of its own. */
function placeOf(pattern: string, paths: PathReader): PathUse[] {
  if (!/^[/~]|\.\.|[{,]\s*[/~]/.test(pattern)) return [];
  const [fixed = ''] = pattern.split(/[*?[{]/, 1);
  const folder =
    fixed.endsWith('/') || fixed === pattern ? fixed : fixed.slice(0, fixed.lastIndexOf('/') + 1);
  // In braces or behind a wildcard it may lead anywhere.
  const isPlain =
    folder !== '' && !pattern.slice(fixed.length).includes('..') && !/[{,]\s*[/~]/.test(pattern);
  return [paths.use(isPlain ? folder : null, ['read'], true)];
}

function hasOperations(args: JsonObject): boolean {
  return Array.isArray(args['operations']);
}

function hasHostHeader(headers: Json | undefined): boolean {
  if (typeof headers === 'string') return /^\s*(host|:authority|x-forwarded-host)\s*:/im.test(headers);
  if (typeof headers !== 'object' || headers === null) return false;
  const names: readonly unknown[] = Array.isArray(headers) ? headers.flat(2) : Object.keys(headers);
  return names.some(
    (name) => typeof name !== 'string' || /^\s*(host|:authority|x-forwarded-host)\s*(:|$)/i.test(name),
  );
}

function pathDoubts(path: PathUse): Doubt[] {
  return path.resolved.flatMap((each): Doubt[] => {
    const named = `the path ${JSON.stringify(path.spelled)}`;
    if (each.doubt === 'nul') return [{ kind: 'forbidden', text: `${named} holds a NUL` }];
    if (!path.isKnown && each.doubt !== 'magic') return [];
    if (each.doubt !== null) return [{ kind: 'unread', text: `${named} ${DOUBTS[each.doubt]}` }];
    if (each.isHardLinked && path.isKnown && path.access.includes('write'))
      return [{ kind: 'careful', text: `${named} has other names that would change too (hard link)` }];
    return [];
  });
}

const DOUBTS = {
  magic: 'is another place for each process that opens it',
  links: 'leads through too many links',
  unknown: 'cannot be looked at',
  too_long: 'is too long',
} as const;
