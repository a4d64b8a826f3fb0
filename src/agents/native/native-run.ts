/** Runs the tools of the native driver, each call in a process of its own; what only tells something needs none. */

import { accessSync, constants } from 'node:fs';
import { delimiter, relative, resolve } from 'node:path';
import type { CommandSpec } from '../../../sandbox/isolation.ts';
import type { NetworkGrant } from '../../../sandbox/network/grants.ts';
import type { JsonObject } from '../../definition/workflow.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import { isObject } from '../../skills/fields.ts';
import { numberArgument, textArgument } from '../arguments.ts';
import type { CommandEnd } from '../run-command.ts';
import type { RunnerRequest, RunnerResult } from '../runner/request.ts';
import { checkArguments, inputSchema, NATIVE_TOOLS } from './native-tools.ts';
import type { Tool, ToolCall, ToolResult } from './tool-box.ts';

/** What the tools need of the step they belong to. */
export interface ToolHost {
  readonly workspace: string;
  readonly scratch: string;
  /** The whole environment of a tool. */
  readonly env: Readonly<Record<string, string>>;
  /** Our runner: the words that start it. */
  readonly runner: readonly [file: string, ...args: string[]];
  /** Starts a command in a scope of its own and the sandbox of the step. */
  run(
    name: string,
    command: {
      readonly spec: CommandSpec;
      readonly stdin: string;
      readonly timeoutMs: number;
      readonly grant: NetworkGrant | null;
    },
    signal: AbortSignal,
  ): Promise<CommandEnd>;
  /** Names of the skills that may be used. */
  readonly skills: readonly string[];
  /** The result of a skill; null when it was cancelled. */
  useSkill(skill: string, inputs: JsonObject, signal: AbortSignal): Promise<JsonObject | null>;
  progress(line: string): void;
}

const DEFAULT_TIMEOUT_S = 60;
const MAX_TIMEOUT_S = 600;
/** MAX_ARG_STRLEN of execve(2). */
const MAX_WORD_BYTES = 128 * 1024 - 1;

/**
 * A tool of NATIVE_TOOLS; `alias` is the name that the model is told, `denied` what it passes over in a folder that it
 * looks through.
 */
export function nativeTool(
  name: string,
  alias: string,
  host: ToolHost,
  denied: RunnerRequest['denied'],
): Tool | null {
  const native = Object.hasOwn(NATIVE_TOOLS, name) ? NATIVE_TOOLS[name] : undefined;
  if (native === undefined) return null;
  const isSkill = name === 'use_skill';
  const list = isSkill ? ` Skills: ${host.skills.join(', ') || 'none'}.` : '';
  return {
    tool: name,
    spec: { name: alias, description: `${native.description}${list}`, inputSchema: inputSchema(native) },
    check: (args) => checkArguments(name, native, args),
    run: (call, signal) => runNative(name, call, host, denied, signal),
  };
}

async function runNative(
  name: string,
  call: ToolCall,
  host: ToolHost,
  denied: RunnerRequest['denied'],
  signal: AbortSignal,
): Promise<ToolResult> {
  const { args } = call;
  switch (name) {
    case 'exec':
      return runExec(call, host, signal);
    case 'execute_bash':
      return runBash(call, host, signal);
    case 'use_skill':
      return runSkillTool(args, host, signal);
    case 'report_progress': {
      const percent = args['percent'] === undefined ? '' : `${textArgument(args, 'percent')} % `;
      host.progress(`${percent}${textArgument(args, 'message')}`);
      return { isError: false, text: 'reported' };
    }
    default:
      return runInRunner(name as RunnerRequest['tool'], call, host, denied, signal);
  }
}

async function runInRunner(
  tool: RunnerRequest['tool'],
  { args, grant }: ToolCall,
  host: ToolHost,
  denied: RunnerRequest['denied'],
  signal: AbortSignal,
): Promise<ToolResult> {
  const [file, ...words] = host.runner;
  const request: RunnerRequest = { tool, args, roots: [host.workspace, host.scratch], denied };
  const end = await host.run(
    tool,
    {
      spec: { file, args: words, cwd: host.workspace, env: host.env },
      stdin: JSON.stringify(request),
      timeoutMs: DEFAULT_TIMEOUT_S * 1000,
      grant: grant ?? null,
    },
    signal,
  );
  if (end.code !== 0 || end.isTimedOut || end.isOutOfMemory) return commandResult(end);
  return runnerResult(end.stdout);
}

/** The runner is ours, but what it read is not: a broken line is an error of the call. */
function runnerResult(line: string): ToolResult {
  try {
    return JSON.parse(line) as RunnerResult;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { isError: true, text: 'the result of the tool cannot be read' };
  }
}

function runExec(call: ToolCall, host: ToolHost, signal: AbortSignal): Promise<ToolResult> {
  const { args } = call;
  const [program = '', ...words] = (args['argv'] as string[]).map(String);
  const cwd = folderOf(args, host);
  return runProgram('exec', findProgram(program, cwd, host), words, cwd, call, host, signal);
}

/** No start files, no BASH_ENV, and a PATH without folders of the workspace: what runs is what was decided. */
function runBash(call: ToolCall, host: ToolHost, signal: AbortSignal): Promise<ToolResult> {
  const cwd = folderOf(call.args, host);
  const words = ['--noprofile', '--norc', '-c', textArgument(call.args, 'command')];
  return runProgram('execute_bash', findProgram('bash', cwd, host), words, cwd, call, host, signal);
}

async function runProgram(
  name: string,
  file: string,
  words: readonly string[],
  cwd: string,
  { args, grant }: ToolCall,
  host: ToolHost,
  signal: AbortSignal,
): Promise<ToolResult> {
  if ([file, ...words].some((word) => Buffer.byteLength(word) > MAX_WORD_BYTES))
    throw new WorkflowError(
      'PARAMETER_INVALID',
      'an argument is over 128 KiB: hand large texts over in a file',
    );
  const seconds = Math.min(MAX_TIMEOUT_S, numberArgument(args, 'timeout_s', DEFAULT_TIMEOUT_S));
  const spec = { file, args: words, cwd, env: host.env };
  const stdin = textArgument(args, 'stdin', '');
  return commandResult(
    await host.run(name, { spec, stdin, timeoutMs: seconds * 1000, grant: grant ?? null }, signal),
  );
}

/** What a model is told of a command: how it ended when not well, then what it printed. */
function commandResult(end: CommandEnd): ToolResult {
  const ended = end.isTimedOut
    ? 'it ran longer than its timeout and was killed'
    : end.isOutOfMemory
      ? 'it was killed for memory'
      : end.signal !== null
        ? `it was ended by ${end.signal}`
        : `exit code ${end.code}`;
  const isError = end.code !== 0 || end.isTimedOut || end.isOutOfMemory;
  const parts = [
    isError ? ended : '',
    end.stdout.trimEnd(),
    end.stderr.trim() === '' ? '' : `stderr:\n${end.stderr.trimEnd()}`,
  ].filter((part) => part !== '');
  return { isError, text: parts.join('\n') || '(no output)', bytes: end.bytes };
}

async function runSkillTool(args: JsonObject, host: ToolHost, signal: AbortSignal): Promise<ToolResult> {
  const skill = textArgument(args, 'skill');
  if (!host.skills.includes(skill))
    return {
      isError: true,
      text: `there is no skill "${skill}"; there are ${host.skills.join(', ') || 'none'}`,
    };
  const inputs = args['inputs'];
  const result = await host.useSkill(skill, inputs !== undefined && isObject(inputs) ? inputs : {}, signal);
  return { isError: result === null, text: JSON.stringify(result) };
}

/** Where a command runs: a folder of the workspace or the scratch. */
function folderOf(args: JsonObject, { workspace, scratch }: ToolHost): string {
  const folder = resolve(workspace, textArgument(args, 'cwd', '.'));
  const isNear = [workspace, scratch].some((root) => !relative(root, folder).startsWith('..'));
  if (!isNear) throw new WorkflowError('PARAMETER_INVALID', `cwd ${folder} lies outside of the workspace`);
  return folder;
}

/** The file of a program, by PATH or from `cwd`. Throws SPAWN_FAILED. */
export function findProgram(program: string, cwd: string, { env }: Pick<ToolHost, 'env'>): string {
  const folders = program.includes('/') ? [cwd] : (env['PATH'] ?? '').split(delimiter);
  const file = folders.map((folder) => resolve(folder, program)).find(isExecutable);
  if (file !== undefined && program !== '') return file;
  throw new WorkflowError('SPAWN_FAILED', `the program "${program}" was not found or is not executable`);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
