import type { Command } from '@oclif/core';
import { nearest } from '../errors/nearest.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { argumentHabit, flagHabit } from './habits.ts';
import { printable } from './text/style.ts';

/** What the command line of a command may hold. */
export interface KnownWords {
  /** `workflow run`. */
  readonly command: string;
  readonly flags: Readonly<Record<string, Pick<Command.Flag.Any, 'description'>>>;
  readonly args: Readonly<Record<string, { readonly description?: string | undefined }>>;
}

/** oclif's words about a command line in one line: what is missing with what it is for, and what was probably meant. */
export function usageError(thrown: Error, { command, flags, args }: KnownWords): WorkflowError {
  const [first = ''] = thrown.message.split(/\nSee more help|\nNote: /);
  const message = printable(first.trim().replace(/:?\n\s*/g, ': ')).replace(
    /^The following errors? occurred: |^Parsing (?=--)/,
    '',
  );
  const help = `Run q ${command} --help.`;
  const meant = probablyMeant(thrown, message, command, Object.keys(flags));
  return new WorkflowError('USAGE', missing(message, { command, flags, args }) ?? message, {
    hint: meant === undefined ? help : `${meant} ${help}`,
  });
}

function probablyMeant(
  thrown: Error,
  message: string,
  command: string,
  known: readonly string[],
): string | undefined {
  if ('flags' in thrown && Array.isArray(thrown.flags)) {
    const unknown = String(thrown.flags[0]);
    const near = nearest(
      unknown,
      known.map((name) => `--${name}`),
    );
    return (
      flagHabit(command, unknown, known) ??
      (near === undefined || !unknown.startsWith('--') ? undefined : `Did you mean ${near}?`)
    );
  }
  const extra = /^Unexpected argument: (\S+)$/.exec(message)?.[1];
  if (extra !== undefined) return argumentHabit(extra, known);
  const isIdMissing = /^Missing \d+ required args?\b.*: id(?: |$)/.test(message);
  return isIdMissing ? 'latest is the newest instance.' : undefined;
}

function missing(message: string, { flags, args }: KnownWords): string | null {
  const flag = /^Missing required flag (\S+)$/.exec(message)?.[1];
  if (flag !== undefined) return told(`--${flag}`, flags[flag]?.description);
  if (!/^Missing \d+ required args?\b/.test(message)) return null;
  // oclif names those that are missing in a table; the first one is what to begin with.
  const name = Object.keys(args).find((each) => new RegExp(`: ${each}(?: |$)`).test(message));
  return name === undefined ? null : told(name.toUpperCase(), args[name]?.description);
}

const told = (what: string, description: string | undefined): string =>
  `${what} is missing${description === undefined ? '' : `: ${description}`}`;
