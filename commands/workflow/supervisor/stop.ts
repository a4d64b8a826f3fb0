import { Flags } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { stopSupervisor } from '../../../src/cli/supervisor-service.ts';

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
    const client = await this.connect('must_run');
    const stopped = await stopSupervisor(client, flags.instances);
    this.print(stopped, () => `supervisor ${stopped.pid} stopped`);
  }
}
