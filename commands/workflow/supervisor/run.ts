import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { runSupervisorHere } from '../../../src/client/run-supervisor.ts';

export default class SupervisorRun extends WorkflowCommand {
  static override description = 'Run the supervisor in the foreground, for a service manager or to watch it.';
  static override examples = ['<%= config.bin %> workflow supervisor run'];

  async run(): Promise<void> {
    await this.parse(SupervisorRun);
    process.exitCode = await runSupervisorHere();
  }
}
