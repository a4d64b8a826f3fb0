import { Args, Flags } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { stopRun } from '../../src/cli/run/stop-run.ts';

export default class Stop extends WorkflowCommand {
  static override description = 'Stop an instance: its steps are ended, nothing of it stays behind.';
  static override examples = [
    '<%= config.bin %> workflow stop latest',
    '<%= config.bin %> workflow stop 4kz --force',
  ];
  static override args = {
    id: Args.string({ required: true, description: 'id of an instance, a prefix of it, or latest' }),
  };
  static override flags = {
    force: Flags.boolean({ char: 'f', description: 'kill its processes at once' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Stop);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const run = await stopRun(client, args.id, flags.force, this.caller(flags.workspace));
      this.printWrapped(run, () => `${run.id} ${run.status}${run.reason === null ? '' : `: ${run.reason}`}`);
    } finally {
      client.close();
    }
  }
}
