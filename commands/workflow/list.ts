import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { workflowTable } from '../../src/cli/lists.ts';

export default class List extends WorkflowCommand {
  static override description = 'List the workflows that can be run by name from here.';
  static override examples = ['<%= config.bin %> workflow list', '<%= config.bin %> workflow list --json'];

  async run(): Promise<void> {
    const { flags } = await this.parse(List);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const workflows = await client.call('workflow.list', { caller: this.caller(flags.workspace) });
      this.print(workflows, () => workflowTable(workflows));
    } finally {
      client.close();
    }
  }
}
