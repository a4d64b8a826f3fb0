import { Args } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { plural } from '../../../src/cli/text/style.ts';

export default class ArchiveRestore extends WorkflowCommand {
  static override description = 'Bring an archived instance back, with its journal, results and logs.';
  static override examples = ['<%= config.bin %> workflow archive restore 0z691wtfxg'];
  static override args = {
    id: Args.string({ required: true, description: 'its id, or the beginning of it' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ArchiveRestore);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const done = await client.call('archive.restore', {
        id: args.id,
        caller: this.caller(flags.workspace),
      });
      this.print(
        done,
        () => `${done.id} is back: ${plural(done.events, 'event')}, ${plural(done.files, 'file')}`,
      );
    } finally {
      client.close();
    }
  }
}
