import { archiveTable } from '../../../src/cli/archive.ts';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';

export default class ArchiveList extends WorkflowCommand {
  static override description = 'List the archived instances, the newest end first.';
  static override examples = ['<%= config.bin %> workflow archive list'];

  async run(): Promise<void> {
    const { flags } = await this.parse(ArchiveList);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const archives = await client.call('archive.list', {});
      this.print(archives, () => archiveTable(archives));
    } finally {
      client.close();
    }
  }
}
