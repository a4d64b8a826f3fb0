import { nearest } from '../errors/nearest.ts';
import { habitOf } from './habits.ts';

/**
 * What to say of a command line that names no command. `commands` are all there are, words parted by blanks; the
 * words before the last of one are topics.
 */
export function explainUnknown(
  argv: readonly string[],
  commands: readonly string[],
): { message: string; hint: string } {
  const flag = argv.findIndex((word) => word.startsWith('-'));
  const words = argv.slice(0, flag === -1 ? argv.length : flag);
  const topic = longestTopic(words, commands);
  if (flag !== -1 && words.length === topic.length)
    return {
      message: `the flag ${argv[flag]} stands before the command`,
      hint: `Write the command first: q ${[...words, '<command>', argv[flag]].join(' ')}.`,
    };
  const prefix = topic.map((word) => `${word} `).join('');
  // Compared without the topic: a long word that all have in common would make every command alike.
  const known = commands.filter((id) => id.startsWith(prefix)).map((id) => id.slice(prefix.length));
  const given = words.slice(topic.length, topic.length === 0 ? 2 : topic.length + 1).join(' ');
  // Before what is spelled alike: `supervisor restart` is anything but `supervisor restore`.
  const habit = habitOf(prefix, given, known);
  const meant = habit === undefined ? likeliest(given, known) : [];
  return {
    message: `${prefix}${given} is not a command`,
    hint:
      habit ??
      (meant.length === 0
        ? `Run q ${prefix === '' ? 'workflow ' : prefix}--help to see the commands.`
        : `Did you mean ${meant.map((each) => `q ${prefix}${each}`).join(' or ')}?`),
  };
}

/** What the word is a command of under another topic (`prune`: of the archive, of the audit log); else what is like it. */
function likeliest(given: string, known: readonly string[]): readonly string[] {
  const elsewhere = known.filter((id) => id.endsWith(` ${given}`));
  if (elsewhere.length > 0 && elsewhere.length <= 3) return elsewhere;
  const meant = nearest(given, known) ?? begunWith(given, known);
  return meant === undefined ? [] : [meant];
}

/** What was cut short (`stat`), where it can be but one. */
function begunWith(given: string, known: readonly string[]): string | undefined {
  const [only, ...others] = known.filter((id) => given.length > 1 && id.startsWith(given));
  return others.length === 0 ? only : undefined;
}

function longestTopic(words: readonly string[], commands: readonly string[]): readonly string[] {
  for (let count = words.length; count > 0; count -= 1) {
    const topic = words.slice(0, count);
    if (commands.some((id) => id.startsWith(`${topic.join(' ')} `))) return topic;
  }
  return [];
}
