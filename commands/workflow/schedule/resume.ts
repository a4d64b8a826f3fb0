import { Args } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';

export default class ScheduleResume extends WorkflowCommand {
  static override description =
    'Let the schedules of a workflow go on; fires of the time in between are not made up for.';
  static override examples = [
    '<%= config.bin %> workflow schedule resume nightly',
    '<%= config.bin %> workflow schedule resume nightly --json',
  ];
  static override args = {
    workflow: Args.string({ required: true, description: 'name of a registered workflow' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ScheduleResume);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const caller = this.caller(flags.workspace);
      const answer = await client.call('schedule.resume', { name: args.workflow, caller });
      this.print(answer, () =>
        answer.changed
          ? `resumed the schedules of ${answer.workflow}`
          : `the schedules of ${answer.workflow} are not paused`,
      );
    } finally {
      client.close();
    }
  }
}
