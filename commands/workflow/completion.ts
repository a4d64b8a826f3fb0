import { Args } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { completionScript, TURN_ON } from '../../src/cli/completion/scripts.ts';

export default class Completion extends WorkflowCommand {
  static override description =
    'Print a script for your shell that completes commands, flags, workflows, instances and steps.';
  static override examples = Object.values(TURN_ON);
  static override args = {
    shell: Args.string({
      required: true,
      options: ['bash', 'zsh', 'fish'],
      description: 'for which shell',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Completion);
    this.wantsJson = flags.json;
    const shell = args.shell === 'zsh' || args.shell === 'fish' ? args.shell : 'bash';
    const script = completionScript(shell);
    this.print({ shell, script, turn_on: TURN_ON[shell] }, () => script);
  }
}
