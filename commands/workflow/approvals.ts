import { Args, Flags } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { APPROVAL_COLUMNS, noApprovals } from '../../src/cli/run/approval-list.ts';
import { approvalsText } from '../../src/cli/run/approvals.ts';
import { LIST_FLAGS, listText, needsAll, WORKFLOW_FLAG } from '../../src/cli/text/list-flags.ts';

const MOST = 100_000;

export default class Approvals extends WorkflowCommand {
  static override description = 'Show what waits for a person, exactly as it would be done.';
  static override examples = [
    '<%= config.bin %> workflow approvals',
    '<%= config.bin %> workflow approvals 4kz --all',
    '<%= config.bin %> workflow approvals --all --output table --filter status=denied',
  ];
  static override args = {
    id: Args.string({ description: 'id of an instance, a prefix of it, or latest (default: all)' }),
  };
  static override flags = {
    ...LIST_FLAGS,
    ...WORKFLOW_FLAG,
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
        // Those that are left out do not count against the limit. One more than are shown tells that there are more.
        limit: needsAll(flags) ? MOST : flags.limit + 1,
      });
      this.write(
        listText(approvals, APPROVAL_COLUMNS, flags, noApprovals(flags.all), {
          draw: approvalsText,
          limit: flags.limit,
        }),
      );
    } finally {
      client.close();
    }
  }
}
