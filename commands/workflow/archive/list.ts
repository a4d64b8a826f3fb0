import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { ARCHIVE_COLUMNS, NO_ARCHIVES } from '../../../src/cli/service/archive.ts';
import { LIST_FLAGS, listText, WORKFLOW_FLAG } from '../../../src/cli/text/list-flags.ts';

export default class ArchiveList extends WorkflowCommand {
  static override description = 'List the archived instances, the newest end first.';
  static override examples = [
    '<%= config.bin %> workflow archive list',
    '<%= config.bin %> workflow archive list --workflow deploy --sort=-bytes',
  ];
  static override flags = { ...LIST_FLAGS, ...WORKFLOW_FLAG };

  async run(): Promise<void> {
    const { flags } = await this.parse(ArchiveList);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const archives = await client.call('archive.list', {});
      this.write(listText(archives, ARCHIVE_COLUMNS, flags, NO_ARCHIVES));
    } finally {
      client.close();
    }
  }
}
