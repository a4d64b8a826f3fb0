import { Args, Flags } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { followRun } from '../../src/cli/run/follow-run.ts';
import { listInstances } from '../../src/cli/text/instance-pages.ts';
import { LIST_FLAGS, listText, needsAll, WORKFLOW_FLAG } from '../../src/cli/text/list-flags.ts';
import { INSTANCE_COLUMNS, noInstances } from '../../src/cli/text/lists.ts';
import { screenOf } from '../../src/cli/text/screen.ts';
import { statusText } from '../../src/cli/text/summary.ts';

const MOST = 100_000;

export default class Status extends WorkflowCommand {
  static override description = 'Show what is running, or one instance with its steps.';
  static override examples = [
    '<%= config.bin %> workflow status',
    '<%= config.bin %> workflow status latest',
    '<%= config.bin %> workflow status 4kz --watch',
    '<%= config.bin %> workflow status --all --workflow deploy --filter status=failed,killed --sort=-took_ms',
  ];
  static override args = { id: Args.string({ description: 'id of an instance, a prefix of it, or latest' }) };
  static override flags = {
    ...LIST_FLAGS,
    ...WORKFLOW_FLAG,
    all: Flags.boolean({ char: 'a', description: 'also those that have ended' }),
    watch: Flags.boolean({ char: 'w', description: 'follow the instance to its end' }),
    limit: Flags.integer({ description: 'how many instances to list', default: 50, min: 1, max: MOST }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Status);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const id = args.id ?? (flags.watch ? 'latest' : undefined);
      if (id === undefined) {
        // Those that are left out do not count against the limit. One more than are shown tells that there are more.
        const most = needsAll(flags) ? MOST : flags.limit + 1;
        const instances = await listInstances(client, !flags.all, most);
        this.write(
          listText(instances, INSTANCE_COLUMNS, flags, noInstances(flags.all), { limit: flags.limit }),
        );
        return;
      }
      const run = await client.call('instance.status', { id });
      if (flags.watch)
        process.exitCode = await followRun(
          client,
          { id: run.id, notices: [] },
          { isJson: flags.json, caller: this.caller(flags.workspace) },
        );
      else this.print(run, () => statusText(run, screenOf(process.stdout)));
    } finally {
      client.close();
    }
  }
}
