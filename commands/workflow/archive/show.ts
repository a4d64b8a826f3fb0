import { Args } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { archiveText } from '../../../src/cli/service/archive.ts';

export default class ArchiveShow extends WorkflowCommand {
  static override description = 'Show an archived instance, and check that its file is whole.';
  static override examples = ['<%= config.bin %> workflow archive show 0z691wtfxg'];
  static override args = {
    id: Args.string({ required: true, description: 'its id, or the beginning of it' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ArchiveShow);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const shown = await client.call('archive.show', { id: args.id });
      this.printWrapped(shown, () => archiveText(shown));
    } finally {
      client.close();
    }
  }
}
