import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { LIST_FLAGS, listText } from '../../src/cli/list-flags.ts';
import { NO_WORKFLOWS, WORKFLOW_COLUMNS } from '../../src/cli/lists.ts';

export default class List extends WorkflowCommand {
  static override description = 'List the workflows that can be run by name from here.';
  static override examples = [
    '<%= config.bin %> workflow list',
    '<%= config.bin %> workflow list --filter status=invalid',
    '<%= config.bin %> workflow list --sort source --output csv',
  ];
  static override flags = LIST_FLAGS;

  async run(): Promise<void> {
    const { flags } = await this.parse(List);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const workflows = await client.call('workflow.list', { caller: this.caller(flags.workspace) });
      this.write(listText(workflows, WORKFLOW_COLUMNS, flags, NO_WORKFLOWS));
    } finally {
      client.close();
    }
  }
}
