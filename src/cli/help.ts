import { CommandHelp, Help } from '@oclif/core';

/** oclif's page of a command with its examples first: most people look for one that they can change. */
class ExamplesFirst extends CommandHelp {
  protected override sections(): ReturnType<CommandHelp['sections']> {
    const all = super.sections();
    return all.toSorted((a, b) => Number(b.header === 'EXAMPLES') - Number(a.header === 'EXAMPLES'));
  }
}

export class WorkflowHelp extends Help {
  protected override CommandHelpClass = ExamplesFirst;
}

/** True when these words after a command ask for its page; words behind `--` are no flags. */
export function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  const flags = end === -1 ? words : words.slice(0, end);
  return flags.includes('--help') || flags.includes('-h');
}
