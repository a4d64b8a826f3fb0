import { resolve } from 'node:path';
import { Flags } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { backupText } from '../../../src/cli/service/backup.ts';

export default class SupervisorBackup extends WorkflowCommand {
  static override description =
    'Copy the database while all goes on (the supervisor does it once a day, and keeps seven).';
  static override examples = [
    '<%= config.bin %> workflow supervisor backup',
    '<%= config.bin %> workflow supervisor backup --output /mnt/usb/q-workflow.db',
  ];
  static override flags = {
    output: Flags.string({ description: 'the file to make (default: a new one in the folder of backups)' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SupervisorBackup);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const made = await client.call('supervisor.backup', {
        output: flags.output === undefined ? null : resolve(flags.output),
        caller: this.caller(flags.workspace),
      });
      this.printWrapped(made, () => backupText(made));
    } finally {
      client.close();
    }
  }
}
