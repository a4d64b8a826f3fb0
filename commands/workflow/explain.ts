import { Args } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { explain, explainText } from '../../src/cli/explain.ts';
import { screenOf } from '../../src/cli/text/screen.ts';

export default class Explain extends WorkflowCommand {
  static override description = 'Say what an error code or exit status means and what to do about it.';
  static override examples = [
    '<%= config.bin %> workflow explain STEP_OOM',
    '<%= config.bin %> workflow explain 6',
  ];
  static override args = {
    code: Args.string({ description: 'an error code or an exit status (default: all codes)' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Explain);
    this.wantsJson = flags.json;
    const codes = explain(args.code ?? null);
    this.print(codes, () => explainText(codes, screenOf(process.stdout)));
  }
}
