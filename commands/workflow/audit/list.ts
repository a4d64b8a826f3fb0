import { Flags } from '@oclif/core';
import { auditFilterFlags } from '../../../src/cli/audit/audit-flags.ts';
import { AUDIT_COLUMNS, NO_RECORDS } from '../../../src/cli/audit/audit-list.ts';
import { filterOf, newestRecords } from '../../../src/cli/audit/audit-pages.ts';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { LIST_FLAGS, listText, needsAll } from '../../../src/cli/text/list-flags.ts';

const MOST = 100_000;

export default class AuditList extends WorkflowCommand {
  static override description = 'List the newest records of the audit log, newest last.';
  static override examples = [
    '<%= config.bin %> workflow audit list --instance latest',
    '<%= config.bin %> workflow audit list --since 1h --type "step.*" --json',
    '<%= config.bin %> workflow audit list --filter severity=error,warning --exact',
  ];
  static override flags = {
    ...LIST_FLAGS,
    ...auditFilterFlags,
    limit: Flags.integer({ description: 'no more than so many', default: 50, min: 1, max: MOST }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AuditList);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      // Those that are left out do not count against the limit.
      const most = needsAll(flags) ? MOST : flags.limit;
      const records = await newestRecords(client, filterOf(flags, Date.now()), most);
      this.write(
        listText(records, AUDIT_COLUMNS, flags, NO_RECORDS, {
          limit: flags.limit,
          order: 'newest_last',
          document: (rows) => ({ records: rows }),
        }),
      );
    } finally {
      client.close();
    }
  }
}
