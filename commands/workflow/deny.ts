import { Args, Flags } from '@oclif/core';
import { exact } from '../../src/cli/approvals.ts';
import { WorkflowCommand } from '../../src/cli/base-command.ts';

export default class Deny extends WorkflowCommand {
  static override description = 'Deny what a run waits for: it is told so and goes on.';
  static override examples = [
    '<%= config.bin %> workflow deny 4kz',
    '<%= config.bin %> workflow deny 4kz 2 --reason "looked at it"',
  ];
  static override args = {
    id: Args.string({ required: true, description: 'id of an instance, a prefix of it, or latest' }),
    call: Args.string({ description: 'number of the approval, or the call; needed where several wait' }),
  };
  static override flags = {
    reason: Flags.string({ char: 'r', description: 'why; recorded, and told to the agent' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Deny);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const decided = await client.call('approval.decide', {
        id: args.id,
        which: args.call ?? null,
        status: 'denied',
        reason: flags.reason ?? null,
        caller: this.caller(flags.workspace),
      });
      this.print(decided, () => `${decided.instance} ${decided.number} denied: ${exact(decided.what)}`);
    } finally {
      client.close();
    }
  }
}
