import { Flags } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { prunedText } from '../../../src/cli/service/archive.ts';
import { parseMoment } from '../../../src/cli/text/moment.ts';

export default class ArchivePrune extends WorkflowCommand {
  static override description =
    'Remove archives for good, the oldest ends first; without a flag, those beyond the settings.';
  static override examples = ['<%= config.bin %> workflow archive prune --before 400d --max-mb 500'];
  static override flags = {
    before: Flags.string({ description: 'those of instances that ended before: 400d, or a time' }),
    count: Flags.integer({ description: 'keep so many', min: 0 }),
    'max-mb': Flags.integer({ description: 'keep so many megabytes', min: 0 }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ArchivePrune);
    this.wantsJson = flags.json;
    const megabytes = flags['max-mb'];
    const client = await this.connect();
    try {
      const { removed } = await client.call('archive.prune', {
        before: flags.before === undefined ? null : parseMoment('--before', flags.before, Date.now()),
        count: flags.count ?? null,
        bytes: megabytes === undefined ? null : megabytes * 1024 * 1024,
        caller: this.caller(flags.workspace),
      });
      this.printWrapped({ removed }, () => prunedText(removed));
    } finally {
      client.close();
    }
  }
}
