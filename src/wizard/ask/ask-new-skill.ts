import { splitCommand } from '../../skills/split-command.ts';
import type { NewSkill } from '../answers/answers.ts';
import { freeName, nameFault, slug } from '../names.ts';
import { ask, type Flow } from '../question.ts';

/** Asks for a command or a prompt of the person's own, and makes a skill of it. */
export function* askNewSkill(
  id: string,
  kind: 'command' | 'prompt',
  isTaken: (name: string) => boolean,
): Flow<{ readonly name: string; readonly skill: NewSkill }> {
  const text = yield* ask(
    `${id}/${kind}`,
    kind === 'command'
      ? 'Command line ({name} puts a value in)'
      : 'Text of the prompt ({name} puts a value in)',
    {
      check: (reply) =>
        reply.trim() === '' ? 'It needs a text.' : kind === 'command' ? commandFault(reply.trim()) : null,
    },
  );
  const name = yield* ask(`${id}/new-skill`, 'Name of the skill that is made of it', {
    standard: freeName(slug(text, kind), isTaken),
    check: (reply) =>
      nameFault(reply.trim()) ??
      (isTaken(reply.trim()) ? `There is a skill "${reply.trim()}" already.` : null),
  });
  return { name, skill: kind === 'command' ? commandSkill(text) : promptSkill(text) };
}

/** Signs that only a shell understands. `{name}` is ours. */
const SHELL = /[|&;<>$`*?~#]/;

/** A skill that runs a command line: by a shell only where it has signs of one. */
export function commandSkill(line: string): NewSkill {
  const split = splitCommand(line);
  const [command = '', ...args] = split.isSplit ? split.words : [];
  const isForShell = SHELL.test(line) || !split.isSplit || command === '';
  const description = `Runs: ${line}`;
  return isForShell
    ? { type: 'code_inline', description, command: 'sh', args: ['-c', line] }
    : { type: 'code_inline', description, command, args };
}

export function promptSkill(text: string): NewSkill {
  return { type: 'prompt_inline', description: `Fills: ${text.slice(0, 60)}`, prompt_template: text };
}

/** Why a text is no command line; null for one that is. */
export function commandFault(line: string): string | null {
  const split = splitCommand(line);
  if (!split.isSplit) return `That cannot be read as a command: ${split.reason}.`;
  return (split.words[0] ?? '').includes('{') && !SHELL.test(line)
    ? 'The command itself must not be a value, only its arguments.'
    : null;
}
