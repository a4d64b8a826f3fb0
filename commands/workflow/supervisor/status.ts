import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { supervisorText } from '../../../src/cli/supervisor-text.ts';

export default class SupervisorStatus extends WorkflowCommand {
  static override description = 'Show the supervisor: uptime, isolation, instances, queue.';
  static override examples = ['<%= config.bin %> workflow supervisor status'];

  async run(): Promise<void> {
    const { flags } = await this.parse(SupervisorStatus);
    this.wantsJson = flags.json;
    const client = await this.connect('must_run');
    try {
      const status = await client.call('supervisor.status', {});
      this.print(status, () => supervisorText(status, Date.now()));
    } finally {
      client.close();
    }
  }
}
