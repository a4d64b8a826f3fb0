import { Flags } from '@oclif/core';
import { auditFilterFlags } from '../../../src/cli/audit/audit-flags.ts';
import { allRecords, filterOf } from '../../../src/cli/audit/audit-pages.ts';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { EXPORT_FORMATS, exportRecords } from '../../../src/cli/export/export.ts';

export default class AuditExport extends WorkflowCommand {
  static override description = 'Write the audit log to stdout for other systems, oldest record first.';
  static override examples = [
    '<%= config.bin %> workflow audit export > audit.jsonl',
    '<%= config.bin %> workflow audit export --format ocsf --since 1d',
  ];
  static override flags = {
    ...auditFilterFlags,
    format: Flags.option({
      options: EXPORT_FORMATS,
      default: 'jsonl' as const,
      description: 'csv is RFC 4180, cloudevents 1.0, ocsf 1.3.0 (API Activity), otel OTLP/JSON logs',
    })(),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AuditExport);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const records = allRecords(client, filterOf(flags, Date.now()));
      await exportRecords(records, flags.format, this.config.version);
    } finally {
      client.close();
    }
  }
}
