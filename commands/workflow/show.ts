import { Args } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { resolveTarget } from '../../src/cli/run/arguments.ts';
import { definitionText } from '../../src/cli/text/definition-text.ts';
import { screenOf } from '../../src/cli/text/screen.ts';

export default class Show extends WorkflowCommand {
  static override description =
    'Show a workflow: its schedules, inputs, steps, handlers, limits and where it comes from.';
  static override examples = ['<%= config.bin %> workflow show examples/repo-report.json'];
  static override args = {
    workflow: Args.string({
      required: true,
      description: 'name or name@version of a workflow, or path of a file',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Show);
    this.wantsJson = flags.json;
    const caller = this.caller(flags.workspace);
    const client = await this.connect();
    try {
      const target = resolveTarget(args.workflow, caller.workspace);
      const shown = await client.call('workflow.show', { target, caller });
      this.print(shown, () => definitionText(shown, screenOf(process.stdout)));
    } finally {
      client.close();
    }
  }
}
