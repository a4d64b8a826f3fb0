import { Args, Flags } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { fullScope } from '../../src/cli/kill/given-scope.ts';
import { locateHome } from '../../src/protocol/home.ts';

export default class Rearm extends WorkflowCommand {
  static override description = 'Re-arm a tripped kill switch. Nothing is resumed by it.';
  static override examples = [
    '<%= config.bin %> workflow rearm agent:triage --reason "prompt mended"',
    '<%= config.bin %> workflow rearm global --reason "false alarm" --confirm "rearm global"',
  ];
  static override args = {
    scope: Args.string({ required: true, description: 'as given to kill' }),
  };
  static override flags = {
    reason: Flags.string({ required: true, description: 'why it is safe again; goes into the audit' }),
    confirm: Flags.string({ description: 'for global: the phrase "rearm global"' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Rearm);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const { reason, confirm } = flags;
      const caller = this.caller(flags.workspace);
      const answer = await client.call('kill.rearm', {
        scope: await fullScope(locateHome(), args.scope),
        reason,
        phrase: confirm ?? null,
        caller,
      });
      this.print(answer, () => `${answer.scope} is armed again; nothing was resumed`);
    } finally {
      client.close();
    }
  }
}
