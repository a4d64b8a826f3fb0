import { Flags } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { uninstallHere, uninstallText } from '../../../src/cli/service/service.ts';
import { scopeFlags, scopeOf } from '../../../src/cli/service/service-flags.ts';

export default class SupervisorUninstall extends WorkflowCommand {
  static override description =
    'Stop the service of the supervisor and remove its unit. The data stays, and instances go on.';
  static override examples = [
    '<%= config.bin %> workflow supervisor uninstall',
    '<%= config.bin %> workflow supervisor uninstall --purge',
  ];
  static override flags = {
    ...scopeFlags,
    purge: Flags.boolean({
      description: 'remove the state folder too; refused while an instance has not ended',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SupervisorUninstall);
    this.wantsJson = flags.json;
    const document = await uninstallHere(scopeOf(flags), flags.purge ? 'purge' : 'keep');
    this.printWrapped(document, () => uninstallText(document));
  }
}
