import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { NO_SCHEDULES, SCHEDULE_COLUMNS } from '../../../src/cli/service/schedule-list.ts';
import { LIST_FLAGS, listText, WORKFLOW_FLAG } from '../../../src/cli/text/list-flags.ts';

export default class ScheduleList extends WorkflowCommand {
  static override description =
    'List the registered workflows with schedules: when each fires next, and fired last.';
  static override examples = [
    '<%= config.bin %> workflow schedule list',
    '<%= config.bin %> workflow schedule list --filter status=paused --json',
  ];
  static override flags = { ...LIST_FLAGS, ...WORKFLOW_FLAG };

  async run(): Promise<void> {
    const { flags } = await this.parse(ScheduleList);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const schedules = await client.call('schedule.list', {});
      this.write(listText(schedules, SCHEDULE_COLUMNS, flags, NO_SCHEDULES));
    } finally {
      client.close();
    }
  }
}
