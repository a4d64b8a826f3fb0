import { Args } from '@oclif/core';
import { findAgent, listAgents } from '../../../src/cli/agents.ts';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { checkText } from '../../../src/cli/text/parts.ts';
import { screenOf } from '../../../src/cli/text/screen.ts';
import { EXIT } from '../../../src/errors/table.ts';

export default class AgentsValidate extends WorkflowCommand {
  static override description =
    'Check agent files: what is wrong, ignored, or read another way than it is written.';
  static override examples = [
    '<%= config.bin %> workflow agents validate',
    '<%= config.bin %> workflow agents validate reviewer',
  ];
  static override args = {
    agent: Args.string({ description: 'name of an agent, or path of its file (default: all)' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AgentsValidate);
    this.wantsJson = flags.json;
    const caller = this.caller(flags.workspace);
    const found = args.agent === undefined ? await listAgents(caller) : [await findAgent(args.agent, caller)];
    this.print(found, () => checkText(found, 'agent', screenOf(process.stdout)));
    if (found.some((part) => !part.is_usable)) process.exitCode = EXIT.INVALID;
  }
}
