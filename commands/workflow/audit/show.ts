import { recordOf, recordText } from '../../../src/cli/audit/audit-record.ts';
import { seqArg } from '../../../src/cli/audit/seq-arg.ts';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { screenOf } from '../../../src/cli/text/screen.ts';

export default class AuditShow extends WorkflowCommand {
  static override description = 'Show one record of the audit log, with its payload where there is one.';
  static override examples = ['<%= config.bin %> workflow audit show 42'];
  static override args = {
    seq: seqArg({ required: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AuditShow);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const { payload, ...row } = await client.call('audit.show', { seq: args.seq });
      const record = recordOf(row);
      const content: unknown = payload.state === 'kept' ? JSON.parse(payload.body) : null;
      this.print({ ...record, payload_state: payload.state, payload: content }, () => {
        const shown = payload.state === 'kept' ? payload.body : payload.state === 'none' ? null : 'erased';
        const data = shown === null ? record.data : { ...record.data, payload: shown };
        return recordText({ ...record, data }, screenOf(process.stdout));
      });
    } finally {
      client.close();
    }
  }
}
