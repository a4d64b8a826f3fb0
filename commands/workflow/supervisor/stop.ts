import { Flags } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { stopSupervisor } from '../../../src/cli/service/supervisor-service.ts';
import { locateHome } from '../../../src/protocol/home.ts';

export default class SupervisorStop extends WorkflowCommand {
  static override description =
    'Stop the supervisor. Running instances go on and are taken over by the next one.';
  static override examples = ['<%= config.bin %> workflow supervisor stop --instances stop'];
  static override flags = {
    instances: Flags.option({
      options: ['leave', 'stop'] as const,
      default: 'leave' as const,
      description: 'what becomes of running instances',
    })(),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SupervisorStop);
    this.wantsJson = flags.json;
    const stopped = await stopSupervisor(locateHome(), flags.instances);
    this.print(stopped, () =>
      stopped.pid === null ? 'the service of the supervisor is stopped' : `supervisor ${stopped.pid} stopped`,
    );
  }
}
