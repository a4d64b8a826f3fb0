import { Flags } from '@oclif/core';
import { verifyHome, verifyText } from '../../../src/cli/audit/audit-verify.ts';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';

export default class AuditVerify extends WorkflowCommand {
  static override description =
    'Check the audit log, from its file. Exit status: 0 intact, 2 tampered, 3 cannot tell (no anchor).';
  static override examples = [
    '<%= config.bin %> workflow audit verify',
    '<%= config.bin %> workflow audit verify --anchor /mnt/usb/anchor.jsonl --json',
  ];
  static override flags = {
    anchor: Flags.string({ description: 'anchor file to compare with (default: the one of this log)' }),
    key: Flags.string({ description: 'public key to trust (default: the first one of the anchor)' }),
    from: Flags.integer({ description: 'do not judge what was recorded before this record', min: 1 }),
    database: Flags.string({ description: 'database file (default: that of the state folder)' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AuditVerify);
    this.wantsJson = flags.json;
    const { report, exit } = await verifyHome(flags);
    this.printWrapped(report, () => verifyText(report));
    process.exitCode = exit;
  }
}
