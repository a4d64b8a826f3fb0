import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { supervisorLine } from '../../../src/cli/supervisor-text.ts';

export default class SupervisorStart extends WorkflowCommand {
  static override description =
    'Start the supervisor in the background (run and others do it by themselves).';
  static override examples = ['<%= config.bin %> workflow supervisor start'];

  async run(): Promise<void> {
    const { flags } = await this.parse(SupervisorStart);
    this.wantsJson = flags.json;
    const client = await this.connect('start');
    try {
      const status = await client.call('supervisor.status', {});
      this.print(status, () => supervisorLine(status));
    } finally {
      client.close();
    }
  }
}
