import { Args } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';

export default class SchedulePause extends WorkflowCommand {
  static override description =
    'Keep a workflow from being started by its schedules, until they are resumed.';
  static override examples = [
    '<%= config.bin %> workflow schedule pause nightly',
    '<%= config.bin %> workflow schedule pause nightly --json',
  ];
  static override args = {
    workflow: Args.string({ required: true, description: 'name of a registered workflow' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SchedulePause);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const caller = this.caller(flags.workspace);
      const answer = await client.call('schedule.pause', { name: args.workflow, caller });
      this.print(answer, () =>
        answer.changed
          ? `paused the schedules of ${answer.workflow}`
          : `the schedules of ${answer.workflow} are paused already`,
      );
    } finally {
      client.close();
    }
  }
}
