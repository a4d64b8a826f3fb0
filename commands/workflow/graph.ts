import { Args, Flags } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { drawFlow, readFlow } from '../../src/cli/graph/graph.ts';

export default class Graph extends WorkflowCommand {
  static override description = 'Draw a workflow, or an instance with the states of its steps.';
  static override examples = [
    '<%= config.bin %> workflow graph examples/repo-report.json',
    '<%= config.bin %> workflow graph latest',
    '<%= config.bin %> workflow graph deploy --format svg > deploy.svg',
  ];
  static override args = {
    target: Args.string({
      required: true,
      description: 'name, name@version or file of a workflow, id of an instance, or latest',
    }),
  };
  static override flags = {
    format: Flags.option({
      options: ['text', 'mermaid', 'svg'] as const,
      default: 'text' as const,
      description: 'how it is drawn',
    })(),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Graph);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const flow = await readFlow(client, args.target, this.caller(flags.workspace));
      const text = flags.json ? '' : await drawFlow(flow, flags.format);
      this.print(flow, () => text);
    } finally {
      client.close();
    }
  }
}
