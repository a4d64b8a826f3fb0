import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { shownStatus } from '../../../src/cli/service/supervisor-service.ts';
import { supervisorText } from '../../../src/cli/service/supervisor-text.ts';
import { screenOf } from '../../../src/cli/text/screen.ts';

export default class SupervisorStatus extends WorkflowCommand {
  static override description = 'Show the supervisor: uptime, service, isolation, instances, queue.';
  static override examples = ['<%= config.bin %> workflow supervisor status'];

  async run(): Promise<void> {
    const { flags } = await this.parse(SupervisorStatus);
    this.wantsJson = flags.json;
    const client = await this.connect('must_run');
    try {
      const status = await shownStatus(client);
      this.print(status, () => supervisorText(status, screenOf(process.stdout)));
    } finally {
      client.close();
    }
  }
}
