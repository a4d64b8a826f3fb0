import { Args, Flags } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { nextFires, nextFiresText } from '../../../src/cli/service/schedule-next.ts';
import { screenOf } from '../../../src/cli/text/screen.ts';

export default class ScheduleNext extends WorkflowCommand {
  static override description =
    'Show when the schedules of a workflow fire next, and what clock changes do to them.';
  static override examples = [
    '<%= config.bin %> workflow schedule next nightly',
    '<%= config.bin %> workflow schedule next nightly --count 20 --from 2026-03-28T00:00:00Z --json',
  ];
  static override args = {
    workflow: Args.string({ required: true, description: 'name of a workflow, or its file' }),
  };
  static override flags = {
    count: Flags.integer({ default: 5, min: 1, max: 10_000, description: 'how many' }),
    from: Flags.string({ description: 'an instant with its offset (default: now)' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ScheduleNext);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const caller = this.caller(flags.workspace);
      const answer = await nextFires(client, args.workflow, flags.count, flags.from ?? null, caller);
      this.print(answer, () => nextFiresText(answer, screenOf(process.stdout)));
    } finally {
      client.close();
    }
  }
}
