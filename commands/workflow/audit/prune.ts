import { Flags } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { parseMoment } from '../../../src/cli/text/moment.ts';
import { bytes, plural } from '../../../src/cli/text/style.ts';

export default class AuditPrune extends WorkflowCommand {
  static override description =
    'Remove old records, whole sealed segments (a day, or 64 MiB) only; their digests stay, and a record of it.';
  static override examples = ['<%= config.bin %> workflow audit prune --before 400d'];
  static override flags = {
    before: Flags.string({ required: true, description: 'segments that end before: 90d, or a time' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AuditPrune);
    this.wantsJson = flags.json;
    const before = parseMoment('--before', flags.before, Date.now());
    const client = await this.connect();
    try {
      const { pruned } = await client.call('audit.prune', { before, caller: this.caller(flags.workspace) });
      const last = pruned.at(-1)?.last ?? 0;
      const size = pruned.reduce((sum, segment) => sum + segment.bytes, 0);
      this.print({ before: new Date(before).toISOString(), segments: pruned }, () =>
        pruned.length === 0
          ? `Nothing was removed: no sealed segment ends before ${new Date(before).toISOString()}.`
          : `${plural(pruned.length, 'segment')} removed, records up to ${last}, ${bytes(size)}`,
      );
    } finally {
      client.close();
    }
  }
}
