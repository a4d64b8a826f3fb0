import { Flags } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { killStatus, killStatusText } from '../../../src/cli/kill/kill-status.ts';
import { locateHome } from '../../../src/protocol/home.ts';

export default class KillStatus extends WorkflowCommand {
  static override description = 'Show the kill switches that are tripped; works without a supervisor.';
  static override examples = ['<%= config.bin %> workflow kill status --verify'];
  static override flags = {
    verify: Flags.boolean({ description: 'look whether anything that they cover still runs' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(KillStatus);
    this.wantsJson = flags.json;
    const status = await killStatus(locateHome(), flags.verify);
    this.printWrapped(status, () => killStatusText(status));
    if (status.running !== null && status.running.length > 0) process.exitCode = 1;
  }
}
