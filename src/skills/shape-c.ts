import { accessSync, closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, extname, resolve } from 'node:path';
import { systemCode } from '../errors/workflow-error.ts';
import type { SkillDraft } from './blocks.ts';
import { readCommandLine, rewriteBraces } from './command-line.ts';
import type { Fields } from './fields.ts';
import { readBasics, readRest } from './shape-a.ts';

const INTERPRETERS: Readonly<Record<string, string>> = {
  '.sh': 'sh',
  '.bash': 'bash',
  '.py': 'python3',
  '.js': 'node',
  '.mjs': 'node',
  '.cjs': 'node',
  '.rb': 'ruby',
  '.pl': 'perl',
};

/** Shape C: `implementation` with a command or a script; always code_inline; places are written `{{p}}`. */
export function readShapeC(fields: Fields, workspace: string): SkillDraft {
  for (const key of ['type', 'skill_type']) fields.raw(key);
  const draft: SkillDraft = { ...readBasics(fields), ...readRest(fields), type: 'code_inline' };
  const block = fields.object('implementation');
  if (block === null) return draft;
  fields.notes.rewritten(block.path, 'shape C: implementation is read as a code_inline command');
  const kind = block.string('type');
  const args = block.has('args') ? block.strings('args') : null;
  const body = kind === 'script' ? readScript(block, args ?? [], workspace) : readCommand(block, kind, args);
  block.warnUnknown();
  return { ...draft, ...body };
}

function readCommand(block: Fields, kind: string | null, args: readonly string[] | null): SkillDraft {
  if (kind !== 'command') {
    block.notes.error(block.at('type'), `must be "command" or "script", not ${JSON.stringify(kind)}`);
    return {};
  }
  const line = readCommandLine(block, args);
  return { command: line.command, args: rewriteBraces(line.args, block.at('command'), block) };
}

/** Relative to the folder of the skill file when it is there, else to the workspace. */
function readScript(block: Fields, args: readonly string[], workspace: string): SkillDraft {
  const path = block.string('path');
  if (path === null) {
    if (!block.has('path')) block.notes.error(block.at('path'), 'is missing');
    return {};
  }
  const beside = resolve(dirname(block.notes.file), path);
  const file = isFile(beside) ? beside : resolve(workspace, path);
  const rest = rewriteBraces(args, block.at('args'), block);
  if (!isFile(file) || isRunnable(file)) return { command: file, args: rest };
  const interpreter = INTERPRETERS[extname(file)];
  if (interpreter === undefined) return { command: file, args: rest };
  block.notes.rewritten(block.at('path'), `has no execute permission or no #! line: run by ${interpreter}`);
  return { command: interpreter, literalArgs: [file], args: rest };
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isRunnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return beginningOf(file) === '#!' || extname(file) === '';
  } catch (error) {
    if (systemCode(error) === 'EACCES') return false;
    throw error;
  }
}

/** Of a script of whatever size; a step may put a pipe in its place meanwhile. */
function beginningOf(file: string): string {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const bytes = Buffer.alloc(2);
    return fstatSync(descriptor).isFile() ? bytes.toString('latin1', 0, readSync(descriptor, bytes)) : '';
  } finally {
    closeSync(descriptor);
  }
}
