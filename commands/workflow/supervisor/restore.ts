import { Args } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { restoreHere, restoreText } from '../../../src/cli/service/backup.ts';

export default class SupervisorRestore extends WorkflowCommand {
  static override description =
    'Put a backup in the place of the database, which is kept aside. Only where no supervisor runs.';
  static override examples = [
    '<%= config.bin %> workflow supervisor restore ~/.local/state/q-workflow/backups/q-workflow-20261128T030000000Z.db',
  ];
  static override args = {
    file: Args.string({ required: true, description: 'the backup' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SupervisorRestore);
    this.wantsJson = flags.json;
    const done = await restoreHere(args.file, this.caller(flags.workspace).person);
    this.print(done, () => restoreText(done));
  }
}
