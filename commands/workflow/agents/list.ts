import { listAgents, NO_AGENTS } from '../../../src/cli/agents.ts';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { LIST_FLAGS, listText } from '../../../src/cli/text/list-flags.ts';
import { partColumns } from '../../../src/cli/text/parts.ts';

export default class AgentsList extends WorkflowCommand {
  static override description = 'List the agents that workflows can name from here.';
  static override examples = [
    '<%= config.bin %> workflow agents list',
    '<%= config.bin %> workflow agents list --filter status=broken',
  ];
  static override flags = LIST_FLAGS;

  async run(): Promise<void> {
    const { flags } = await this.parse(AgentsList);
    this.wantsJson = flags.json;
    const found = await listAgents(this.caller(flags.workspace));
    this.write(listText(found, partColumns('agents'), flags, NO_AGENTS));
  }
}
