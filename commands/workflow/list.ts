import { Args, Flags } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { LIST_FLAGS, listText } from '../../src/cli/text/list-flags.ts';
import { NO_VERSIONS, NO_WORKFLOWS, VERSION_COLUMNS, WORKFLOW_COLUMNS } from '../../src/cli/text/lists.ts';

export default class List extends WorkflowCommand {
  static override description =
    'List the workflows that can be run by name from here, or versions of registered ones.';
  static override examples = [
    '<%= config.bin %> workflow list',
    '<%= config.bin %> workflow list --filter status=invalid',
    '<%= config.bin %> workflow list deploy --versions',
    '<%= config.bin %> workflow list --sort source --output csv',
  ];
  static override args = { workflow: Args.string({ description: 'only this one' }) };
  static override flags = {
    ...LIST_FLAGS,
    versions: Flags.boolean({ description: 'each content that was registered, by the address that runs it' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(List);
    this.wantsJson = flags.json;
    const { workflow: name = null } = args;
    const client = await this.connect();
    try {
      if (flags.versions) {
        const versions = await client.call('workflow.versions', { name });
        this.write(listText(versions, VERSION_COLUMNS, flags, NO_VERSIONS));
        return;
      }
      const workflows = await client.call('workflow.list', { caller: this.caller(flags.workspace) });
      const filter = name === null ? flags.filter : [`name=${name}`, ...(flags.filter ?? [])];
      this.write(listText(workflows, WORKFLOW_COLUMNS, { ...flags, filter }, NO_WORKFLOWS));
    } finally {
      client.close();
    }
  }
}
