import { Args, Flags } from '@oclif/core';
import { WorkflowCommand } from '../base-command.ts';
import { exact } from './approvals.ts';

/** What `approve` and `deny` share: which approval is meant, the reason, and the call. */
export abstract class DecideCommand extends WorkflowCommand {
  static override args = {
    id: Args.string({ required: true, description: 'id of an instance, a prefix of it, or latest' }),
    call: Args.string({ description: 'number of the approval, or the call; needed where several wait' }),
  };
  static override flags = {
    reason: Flags.string({ char: 'r', description: 'why; recorded, and told to the agent' }),
  };

  protected async decide(status: 'approved' | 'denied'): Promise<void> {
    const { args, flags } = await this.parse({
      args: DecideCommand.args,
      flags: DecideCommand.flags,
      baseFlags: WorkflowCommand.baseFlags,
    });
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const decided = await client.call('approval.decide', {
        id: args.id,
        which: args.call ?? null,
        status,
        reason: flags.reason ?? null,
        caller: this.caller(flags.workspace),
      });
      this.print(decided, () => `${decided.instance} ${decided.number} ${status}: ${exact(decided.what)}`);
    } finally {
      client.close();
    }
  }
}
