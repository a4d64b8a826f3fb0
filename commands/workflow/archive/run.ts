import { Flags } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { archiveRunText } from '../../../src/cli/service/archive.ts';
import { parseMoment } from '../../../src/cli/text/moment.ts';

export default class ArchiveRun extends WorkflowCommand {
  static override description =
    'Archive ended instances now (the supervisor does it once a day, 30 days after their end).';
  static override examples = ['<%= config.bin %> workflow archive run --before 7d'];
  static override flags = {
    before: Flags.string({
      description: 'those that ended before: 7d, or a time (default: Q_WORKFLOW_ARCHIVE_DAYS, 30)',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ArchiveRun);
    this.wantsJson = flags.json;
    const before = flags.before === undefined ? null : parseMoment('--before', flags.before, Date.now());
    const client = await this.connect();
    try {
      const done = await client.call('archive.run', { before, caller: this.caller(flags.workspace) });
      this.printWrapped(done, () => archiveRunText(done));
      if (done.stopped !== null) process.exitCode = 1;
    } finally {
      client.close();
    }
  }
}
