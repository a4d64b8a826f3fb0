import { Command, Flags } from '@oclif/core';
import { callerHere } from '../client/caller.ts';
import { type Client, connect } from '../client/client.ts';
import { EXIT } from '../errors/table.ts';
import { ensureWorkflowError, type Problem, type WorkflowError } from '../errors/workflow-error.ts';
import type { Caller } from '../protocol/caller.ts';
import { locateHome } from '../protocol/home.ts';
import type { IsolationRequest } from '../protocol/isolation-request.ts';
import { type Screen, screenOf } from './text/screen.ts';
import { printable } from './text/style.ts';
import { wrapped, wrapText } from './text/wrap.ts';
import { usageError } from './usage-error.ts';

/** What every command shares: `--json`, `--workspace`, the way to the supervisor, and how errors are shown. */
export abstract class WorkflowCommand extends Command {
  static override baseFlags = {
    json: Flags.boolean({ description: 'print JSON instead of text' }),
    workspace: Flags.string({ description: 'the folder to work from (default: the current one)' }),
  };

  /** Set by a command as soon as its flags are known; errors before that look at the arguments themselves. */
  protected wantsJson = this.argv.includes('--json');

  /** Standard input is no argument, as oclif would have it for one that is missing: in a loop it belongs to the loop. */
  protected override async init(): Promise<void> {
    for (const arg of Object.values(this.ctor.args)) arg.ignoreStdin = true;
    await super.init();
  }

  protected connect(mode: 'start' | 'must_run' = 'start', isolation?: IsolationRequest): Promise<Client> {
    return connect(locateHome(), mode, { isolation });
  }

  protected caller(workspace: string | undefined): Caller {
    return callerHere(workspace);
  }

  protected print(value: unknown, text: () => string): void {
    printResult(value, this.wantsJson, text);
  }

  /** The same, with the lines of the text broken where the terminal ends. */
  protected printWrapped(value: unknown, text: () => string): void {
    printResult(value, this.wantsJson, () => wrapText(text(), screenOf(process.stdout).width));
  }

  /** Text that is in the wanted form already. */
  protected write(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  /** What is wrong and keeps nothing from being done, on stderr. */
  protected warnOf(problems: readonly string[]): void {
    const { style, width } = screenOf(process.stderr);
    for (const problem of problems)
      process.stderr.write(
        `${wrapped(`${style.yellow('warning')} `, printable(problem), width).join('\n')}\n`,
      );
  }

  /** Every error of a command ends here: one message, never a stack, and the exit status of its code. */
  override async catch(thrown: Error & { exitCode?: number; oclif?: { exit?: number } }): Promise<void> {
    // oclif ends a command that printed its help, or called exit, by an error with this mark.
    if (thrown.oclif?.exit === 0) return;
    const isUsage = thrown.oclif !== undefined || thrown.constructor.name.endsWith('ParserError');
    const error = isUsage
      ? usageError(thrown, {
          command: (this.id ?? 'workflow').replaceAll(':', ' '),
          flags: { ...this.ctor.baseFlags, ...this.ctor.flags },
          args: this.ctor.args,
        })
      : ensureWorkflowError(thrown);
    process.exitCode = isUsage ? EXIT.USAGE : error.exitStatus;
    showError(error, this.wantsJson);
  }
}

/** Prints an error for people on stderr, or as `{"error": …}` on stdout. */
export function showError(error: WorkflowError, isJson: boolean): void {
  if (isJson) {
    process.stdout.write(`${JSON.stringify({ error: { step: null, ...error.toRecord() } })}\n`);
    return;
  }
  process.stderr.write(`${errorText(error, screenOf(process.stderr))}\n`);
}

const MAX_PROBLEMS = 50;

/** What happened, what is wrong where, and what to do. */
export function errorText(error: WorkflowError, { style, width }: Screen): string {
  const code = `[${error.code}]`;
  const lines = wrapped(`${style.red('error')} `, `${printable(error.message)} ${code}`, width);
  const last = lines.pop() ?? '';
  lines.push(last.endsWith(code) ? `${last.slice(0, -code.length)}${style.dim(code)}` : last);
  for (const problem of error.problems.slice(0, MAX_PROBLEMS)) lines.push(...problemLines(problem, width));
  if (error.problems.length > MAX_PROBLEMS)
    lines.push(`  … and ${error.problems.length - MAX_PROBLEMS} more`);
  lines.push(...wrapped(`${style.cyan('hint')}  `, error.hint, width));
  return lines.join('\n');
}

/** A problem below a headline: where it is, what is wrong there, and what was probably meant. */
export function problemLines(problem: Problem, width: number): string[] {
  const [first = '', ...rest] = wrapped('  ', problemLine(problem), width - 2);
  return [first, ...rest.map((line) => `  ${line}`)];
}

export function problemLine(problem: Problem): string {
  // The messages of expressions and names say it themselves.
  const isSaid = problem.suggestion === undefined || problem.message.includes('did you mean');
  const suggestion = isSaid ? '' : ` – did you mean "${problem.suggestion}"?`;
  const label = problem.severity === 'warning' ? 'warning: ' : '';
  return printable(`${problem.path}: ${label}${problem.message}${suggestion}`);
}

/** JSON in lines for people and in one for programs, or the text. */
export function printResult(value: unknown, isJson: boolean, text: () => string): void {
  process.stdout.write(`${isJson ? JSON.stringify(value, null, process.stdout.isTTY ? 2 : 0) : text()}\n`);
}
