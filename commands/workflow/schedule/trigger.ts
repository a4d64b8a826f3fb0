import { Args } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';

export default class ScheduleTrigger extends WorkflowCommand {
  static override description =
    'Start a registered workflow now as its schedule would, whatever else of it runs.';
  static override examples = [
    '<%= config.bin %> workflow schedule trigger nightly',
    '<%= config.bin %> workflow schedule trigger nightly --json',
  ];
  static override args = {
    workflow: Args.string({ required: true, description: 'name of a registered workflow' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ScheduleTrigger);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const caller = this.caller(flags.workspace);
      const answer = await client.call('schedule.trigger', { name: args.workflow, caller });
      this.print(answer, () => answer.id);
    } finally {
      client.close();
    }
  }
}
