import { seqArg } from '../../../src/cli/audit/seq-arg.ts';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';

export default class AuditErase extends WorkflowCommand {
  static override description =
    'Erase the payload of a record. The record and its hash stay, and a record of it.';
  static override examples = ['<%= config.bin %> workflow audit erase 42'];
  static override args = {
    seq: seqArg({ required: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AuditErase);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const erased = await client.call('audit.erase', {
        seq: args.seq,
        caller: this.caller(flags.workspace),
      });
      this.print(erased, () => `the payload of record ${args.seq} is erased`);
    } finally {
      client.close();
    }
  }
}
