import { Flags } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { installHere, installText } from '../../../src/cli/service/service.ts';
import { scopeFlags, scopeOf } from '../../../src/cli/service/service-flags.ts';
import { DRAIN_DEFAULT_S, ON_STOP } from '../../../src/protocol/service.ts';

export default class SupervisorInstall extends WorkflowCommand {
  static override description =
    'Run the supervisor as a service: started at boot or login, and again when it dies (systemd, launchd).';
  static override examples = [
    '<%= config.bin %> workflow supervisor install',
    '<%= config.bin %> workflow supervisor install --on-stop drain --drain-seconds 300',
    '<%= config.bin %> workflow supervisor install --dry-run',
  ];
  static override flags = {
    ...scopeFlags,
    'on-stop': Flags.option({
      options: ON_STOP,
      default: 'leave' as const,
      description: 'what becomes of running instances when the service stops: they go on, or are waited for',
    })(),
    'drain-seconds': Flags.integer({
      default: DRAIN_DEFAULT_S,
      min: 0,
      max: 86_400,
      description: 'how long --on-stop drain waits; what runs then goes on',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SupervisorInstall);
    this.wantsJson = flags.json;
    const document = await installHere(scopeOf(flags), flags['on-stop'], flags['drain-seconds']);
    this.print(document, () => installText(document));
  }
}
