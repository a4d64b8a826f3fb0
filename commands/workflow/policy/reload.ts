import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { reloadText } from '../../../src/cli/policies.ts';
import { EXIT } from '../../../src/errors/table.ts';

export default class PolicyReload extends WorkflowCommand {
  static override description =
    'Read the policies of all runs anew: what runs asks its next permit under them.';
  static override examples = [
    '<%= config.bin %> workflow policy reload',
    '<%= config.bin %> workflow policy reload --json',
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(PolicyReload);
    this.wantsJson = flags.json;
    const client = await this.connect('must_run');
    try {
      const reload = await client.call('policy.reload', { caller: this.caller(flags.workspace) });
      this.printWrapped(reload, () => reloadText(reload));
      if (reload.unusable.length > 0) process.exitCode = EXIT.INVALID;
    } finally {
      client.close();
    }
  }
}
