import { Flags } from '@oclif/core';
import { auditFilterFlags } from '../../../src/cli/audit-flags.ts';
import { filterOf, newestRecords } from '../../../src/cli/audit-pages.ts';
import { recordLine } from '../../../src/cli/audit-record.ts';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { styleFor } from '../../../src/cli/style.ts';

export default class AuditList extends WorkflowCommand {
  static override description = 'List the newest records of the audit log, newest last.';
  static override examples = [
    '<%= config.bin %> workflow audit list --instance latest',
    '<%= config.bin %> workflow audit list --since 1h --type "step.*" --json',
  ];
  static override flags = {
    ...auditFilterFlags,
    limit: Flags.integer({ description: 'no more than so many', default: 50, min: 1, max: 100_000 }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AuditList);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const records = await newestRecords(client, filterOf(flags, Date.now()), flags.limit);
      const style = styleFor(process.stdout);
      this.print({ records }, () =>
        records.length === 0
          ? 'No record fits.'
          : records.map((record) => recordLine(record, style)).join('\n'),
      );
    } finally {
      client.close();
    }
  }
}
