import type { Json, JsonObject } from '../../definition/workflow.ts';
import { type Access, canonicalTool, likelyTool, type NativeTool, nativeTool } from '../tools.ts';
import type { GuardedCall } from './call.ts';
import { isPathName, type NamedText, textsOf } from './call-texts.ts';
import { PathReader } from './path-reader.ts';
import { readShell } from './read-shell.ts';
import type { FileFacts } from './resolve-path.ts';
import type { Doubt, Part, PathUse, Subject } from './subject.ts';
import { type Destination, readUrl } from './url.ts';

/** Facts about the machine that a decision needs besides the call. */
export interface CallFacts {
  readonly files: FileFacts;
  /** The user's home folder, absolute. */
  readonly home: string;
}

/** Works out what a call would touch. Never throws for what an agent may send. */
export function readCall(call: GuardedCall, { files, home }: CallFacts): Subject {
  const paths = new PathReader(call, files);
  const tool = call.kind === 'tool' ? canonicalTool(call.tool) : `${call.kind}:${call.tool}`;
  const likely = call.kind === 'tool' ? likelyTool(call.tool) : tool;
  const roots = { workspace: paths.workspace, home: paths.real(home) };
  const read =
    tool === 'execute_bash' || tool === 'exec'
      ? readShell(tool, call.args, paths)
      : readPlain(tool, call, paths);
  const named: Doubt[] =
    likely === tool
      ? []
      : [{ kind: 'unread', text: `the tool "${call.tool}" is not "${likely}", but looks like it` }];
  return {
    call,
    tool,
    likelyTool: likely,
    roots,
    files,
    parts: read.parts,
    doubts: [...named, ...read.doubts, ...read.parts.flatMap((part) => part.paths.flatMap(pathDoubts))],
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
  // What a tool of ours does with the arguments that it knows is known; any other text may be a path.
  const open = Object.entries(call.args).filter(([name]) => native === null || !native.args.includes(name));
  const { texts, isCut } = textsOf(Object.fromEntries(open));
  if (isCut) doubts.push({ kind: 'unread', text: 'it has more texts that may be paths than are looked at' });
  const part: Part = {
    kind: 'call',
    text: call.tool,
    command: null,
    paths:
      native === null
        ? texts.map((each) => use(each, ['read', 'write'], paths))
        : nativePaths(native, call.args, texts, paths),
    destinations: native === null ? openDestinations(texts) : destination === null ? [] : [destination],
    hasOpenDestination: isFetch && destination?.host === null,
    isTransparent: false,
  };
  return { parts: [part], doubts };
}

function nativePaths(
  native: NativeTool,
  args: JsonObject,
  others: readonly NamedText[],
  paths: PathReader,
): PathUse[] {
  const known = Object.entries(native.paths).flatMap(([name, access]): PathUse[] => {
    const value = args[name];
    if (value === undefined && native.hasImpliedPath) return [paths.use('.', [access], true)];
    // Q's own form of fs_read names its files one level deeper.
    if (value === undefined && hasOperations(args)) return [];
    return [paths.use(typeof value === 'string' && value !== '' ? value : null, [access], true)];
  });
  const accesses = [...new Set<Access>(Object.values(native.paths))];
  if (accesses.length === 0) return known;
  return [...known, ...others.map((each) => use(each, accesses, paths))];
}

function hasOperations(args: JsonObject): boolean {
  return Array.isArray(args['operations']);
}

function use({ name, text }: NamedText, access: readonly Access[], paths: PathReader): PathUse {
  const path = /^file:\/\//i.test(text) ? text.replace(/^file:\/\/(localhost)?/i, '') : text;
  return paths.use(path, access, isPathName(name) || path.startsWith('/') || /^\.{0,2}\//.test(path));
}

/** Readers of URLs take line breaks and tabs out, and blanks at the beginning. */
function openDestinations(texts: readonly NamedText[]): Destination[] {
  return texts.flatMap(({ text }) =>
    /^\s*[a-z][a-z0-9+.-]*:[/\\]{2}/i.test(text.replace(/[\t\r\n]/g, '')) ? [readUrl(text)] : [],
  );
}

function hasHostHeader(headers: Json | undefined): boolean {
  if (typeof headers !== 'object' || headers === null) return false;
  const names = Array.isArray(headers) ? headers.flat(2).map(String) : Object.keys(headers);
  return names.some((name) => /^\s*(host|:authority|x-forwarded-host)\s*(:|$)/i.test(name));
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
