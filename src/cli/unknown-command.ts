import { nearest } from '../errors/nearest.ts';

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
  const meant = nearest(given, known);
  return {
    message: `${prefix}${given} is not a command`,
    hint:
      meant === undefined
        ? 'Run q workflow --help to see the commands.'
        : `Did you mean q ${prefix}${meant}?`,
  };
}

function longestTopic(words: readonly string[], commands: readonly string[]): readonly string[] {
  for (let count = words.length; count > 0; count -= 1) {
    const topic = words.slice(0, count);
    if (commands.some((id) => id.startsWith(`${topic.join(' ')} `))) return topic;
  }
  return [];
}
