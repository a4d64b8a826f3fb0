import { Flags } from '@oclif/core';
import { auditFilterFlags } from '../../../src/cli/audit/audit-flags.ts';
import { tailRecords } from '../../../src/cli/audit/audit-tail.ts';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';

export default class AuditTail extends WorkflowCommand {
  static override description = 'Print the end of the audit log, one record a line.';
  static override examples = [
    '<%= config.bin %> workflow audit tail -f',
    '<%= config.bin %> workflow audit tail -f --type "permit.*" --json',
  ];
  static override flags = {
    ...auditFilterFlags,
    follow: Flags.boolean({ char: 'f', description: 'go on with what is recorded from now on' }),
    lines: Flags.integer({ char: 'n', description: 'so many records to begin with', default: 10, min: 0 }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AuditTail);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      await tailRecords(client, flags, { isJson: flags.json, lines: flags.lines, isFollowing: flags.follow });
    } finally {
      client.close();
    }
  }
}
