import { Args } from '@oclif/core';
import { findAgent } from '../../../src/cli/agents.ts';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { partText } from '../../../src/cli/text/parts.ts';
import { screenOf } from '../../../src/cli/text/screen.ts';

export default class AgentsShow extends WorkflowCommand {
  static override description = 'Show an agent: where it comes from, and how its file was read.';
  static override examples = ['<%= config.bin %> workflow agents show reviewer'];
  static override args = {
    agent: Args.string({ required: true, description: 'name of an agent, or path of its file' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentsShow);
    this.wantsJson = flags.json;
    const found = await findAgent(args.agent, this.caller(flags.workspace));
    this.print(found, () => partText(found, screenOf(process.stdout)));
  }
}
