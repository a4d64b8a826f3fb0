import { WorkflowCommand } from '../../../src/cli/base-command.ts';

export default class SupervisorMetrics extends WorkflowCommand {
  static override description = 'Print the metrics of the supervisor in the text format of Prometheus.';
  static override examples = ['<%= config.bin %> workflow supervisor metrics'];

  async run(): Promise<void> {
    const { flags } = await this.parse(SupervisorMetrics);
    this.wantsJson = flags.json;
    const client = await this.connect('must_run');
    try {
      const metrics = await client.call('supervisor.metrics', {});
      this.print(metrics, () => metrics.text.trimEnd());
    } finally {
      client.close();
    }
  }
}
