import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { isolationFlag, refuseOtherIsolation } from '../../../src/cli/service/isolation-flag.ts';
import { supervisorLine } from '../../../src/cli/service/supervisor-text.ts';

export default class SupervisorStart extends WorkflowCommand {
  static override description =
    'Start the supervisor in the background (run and others do it by themselves).';
  static override examples = [
    '<%= config.bin %> workflow supervisor start',
    '<%= config.bin %> workflow supervisor start --isolation cgroup',
  ];
  static override flags = { isolation: isolationFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(SupervisorStart);
    this.wantsJson = flags.json;
    const client = await this.connect('start', flags.isolation);
    try {
      const status = await client.call('supervisor.status', {});
      refuseOtherIsolation(status, flags.isolation);
      this.print(status, () => supervisorLine(status));
      // It runs all the same: what it supervises must not wait for a typing error.
      if (!this.wantsJson) this.warnOf(status.problems ?? []);
    } finally {
      client.close();
    }
  }
}
