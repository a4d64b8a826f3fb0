import { Args } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';

export default class Unregister extends WorkflowCommand {
  static override description = 'Take a registered workflow out of the list. What it has run stays.';
  static override examples = ['<%= config.bin %> workflow unregister repo-report'];
  static override args = {
    name: Args.string({ required: true, description: 'name of a registered workflow' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Unregister);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const result = await client.call('workflow.unregister', {
        name: args.name,
        caller: this.caller(flags.workspace),
      });
      this.print(result, () => `unregistered ${result.name}`);
    } finally {
      client.close();
    }
  }
}
