import { Args } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';

export default class Pause extends WorkflowCommand {
  static override description =
    'Make an instance stand still: its processes are frozen where they are, its time does not run. Resume goes on.';
  static override examples = ['<%= config.bin %> workflow pause latest'];
  static override args = {
    id: Args.string({ required: true, description: 'id of an instance, a prefix of it, or latest' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Pause);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const paused = await client.call('instance.pause', {
        id: args.id,
        caller: this.caller(flags.workspace),
      });
      this.print(paused, () => `${paused.id} ${paused.status}: q workflow resume ${paused.id} goes on`);
    } finally {
      client.close();
    }
  }
}
