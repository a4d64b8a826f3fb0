import { Args, Flags } from '@oclif/core';
import { approvalsText } from '../../src/cli/approvals.ts';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { styleFor } from '../../src/cli/style.ts';

export default class Approvals extends WorkflowCommand {
  static override description = 'Show what waits for a person, exactly as it would be done.';
  static override examples = [
    '<%= config.bin %> workflow approvals',
    '<%= config.bin %> workflow approvals 4kz --all',
  ];
  static override args = {
    id: Args.string({ description: 'id of an instance, a prefix of it, or latest (default: all)' }),
  };
  static override flags = {
    all: Flags.boolean({ char: 'a', description: 'also what was decided, with who did and why' }),
    limit: Flags.integer({ description: 'at most so many', default: 100, min: 1 }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Approvals);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const approvals = await client.call('approval.list', {
        id: args.id ?? null,
        isPendingOnly: !flags.all,
        limit: flags.limit,
      });
      this.print(approvals, () => approvalsText(approvals, styleFor(process.stdout), Date.now()));
    } finally {
      client.close();
    }
  }
}
