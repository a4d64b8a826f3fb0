import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { scheduleTable } from '../../../src/cli/schedule-list.ts';

export default class ScheduleList extends WorkflowCommand {
  static override description =
    'List the registered workflows with schedules: when each fires next, and fired last.';
  static override examples = [
    '<%= config.bin %> workflow schedule list',
    '<%= config.bin %> workflow schedule list --json',
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(ScheduleList);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const schedules = await client.call('schedule.list', {});
      this.print(schedules, () => scheduleTable(schedules));
    } finally {
      client.close();
    }
  }
}
