import { resolve } from 'node:path';
import { Flags } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { replayCalls, replayText } from '../../../src/cli/policy-replay.ts';
import { parseMoment } from '../../../src/cli/text/moment.ts';

export default class PolicyReplay extends WorkflowCommand {
  static override description =
    'Say which recorded calls the policies would decide differently, without running anything.';
  static override examples = [
    '<%= config.bin %> workflow policy replay --since 1d',
    '<%= config.bin %> workflow policy replay --since 2h --policy policies/ci.json --json',
  ];
  static override flags = {
    since: Flags.string({ description: 'decided since: 90s, 10m, 2h, 1d ago, or a time', default: '1d' }),
    policy: Flags.string({
      multiple: true,
      description: 'a policy file, in the layer it names; in place of those that hold in each workspace',
    }),
    environment: Flags.string({ description: 'name of the environment', env: 'Q_WORKFLOW_ENVIRONMENT' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(PolicyReplay);
    this.wantsJson = flags.json;
    const since = parseMoment('--since', flags.since, Date.now());
    const asked = {
      policies: (flags.policy ?? []).map((file) => resolve(file)),
      environment: flags.environment ?? null,
    };
    const client = await this.connect();
    try {
      const replayed = await replayCalls(client, since, asked, this.caller(flags.workspace));
      this.printWrapped(replayed, () => replayText(replayed));
    } finally {
      client.close();
    }
  }
}
