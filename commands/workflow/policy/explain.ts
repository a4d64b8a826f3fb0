import { resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { explainCall, explainText, splitExplain } from '../../../src/cli/policies.ts';

export default class PolicyExplain extends WorkflowCommand {
  static override description =
    'Say what would be decided about a call, and by which rules, without running anything.';
  static override examples = [
    `<%= config.bin %> workflow policy explain '{"tool": "execute_bash", "args": {"command": "git push"}}'`,
    `<%= config.bin %> workflow policy explain '{"tool": "fs_read", "args": {"path": ".env"}}' --policy policies/ci.json --json`,
  ];
  // `--policy a.json b.json` is understood too.
  static override strict = false;
  static override args = {
    call: Args.string({
      required: true,
      description: '{"tool": …, "args": …}, or - to read it from standard input',
    }),
  };
  static override flags = {
    policy: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      description: 'a policy file, in the layer it names; in place of those that hold here',
    }),
    environment: Flags.string({ description: 'name of the environment', env: 'Q_WORKFLOW_ENVIRONMENT' }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(PolicyExplain);
    this.wantsJson = flags.json;
    const { call, files } = splitExplain(argv.map(String), flags.policy ?? []);
    const policies = files.map((file) => resolve(file));
    const request = { call, policies, environment: flags.environment ?? null };
    const explanation = await explainCall(request, this.caller(flags.workspace));
    this.printWrapped(explanation, () => explainText(explanation));
  }
}
