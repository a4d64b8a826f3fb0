import { Args, Flags } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { printLogs } from '../../src/cli/logs/logs.ts';

export default class Logs extends WorkflowCommand {
  static override description = 'Print what the steps of an instance wrote, merged by time.';
  static override examples = [
    '<%= config.bin %> workflow logs latest',
    '<%= config.bin %> workflow logs 4kz --step build -f',
    "<%= config.bin %> workflow logs latest --stream stderr --grep 'timeout|refused' --tail 50",
  ];
  static override args = {
    id: Args.string({ required: true, description: 'id of an instance, a prefix of it, or latest' }),
  };
  static override flags = {
    follow: Flags.boolean({ char: 'f', description: 'go on until the instance has ended' }),
    step: Flags.string({ description: 'only this step, by its path or id, and what is in it' }),
    stream: Flags.option({
      options: ['stdout', 'stderr'] as const,
      description: 'only this stream',
    })(),
    tail: Flags.integer({ char: 'n', min: 0, description: 'only so many lines, the last ones' }),
    grep: Flags.string({
      char: 'g',
      description: 'only lines in which this is found (RE2: (?i) for any case)',
      helpValue: 'RE',
    }),
    since: Flags.string({ description: 'only what was written since: 90s, 10m, 2h, or a time' }),
    raw: Flags.boolean({ description: 'pass terminal escapes of the output on as they are' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Logs);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const options = {
        isFollowing: flags.follow,
        step: flags.step ?? null,
        stream: flags.stream ?? null,
        tail: flags.tail ?? null,
        grep: flags.grep ?? null,
        since: flags.since ?? null,
        isRaw: flags.raw,
        isJson: flags.json,
      };
      await printLogs(client, args.id, options);
    } finally {
      client.close();
    }
  }
}
