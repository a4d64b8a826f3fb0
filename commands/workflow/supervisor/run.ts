import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { isolationFlag } from '../../../src/cli/service/isolation-flag.ts';
import { runSupervisorHere } from '../../../src/client/run-supervisor.ts';

export default class SupervisorRun extends WorkflowCommand {
  static override description = 'Run the supervisor in the foreground, for a service manager or to watch it.';
  static override examples = ['<%= config.bin %> workflow supervisor run'];
  static override flags = { isolation: isolationFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(SupervisorRun);
    process.exitCode = await runSupervisorHere(flags.isolation);
  }
}
