import { Args } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { resolveTarget } from '../../src/cli/run/arguments.ts';
import { screenOf } from '../../src/cli/text/screen.ts';
import { checkFile, validationText } from '../../src/cli/validation.ts';
import { EXIT } from '../../src/errors/table.ts';

export default class Validate extends WorkflowCommand {
  static override description = 'Check a workflow file, without a supervisor and without running anything.';
  static override examples = ['<%= config.bin %> workflow validate examples/repo-report.json'];
  static override args = { file: Args.string({ required: true, description: 'path of a workflow file' }) };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Validate);
    this.wantsJson = flags.json;
    const caller = this.caller(flags.workspace);
    const file = resolveTarget(args.file.includes('/') ? args.file : `./${args.file}`, caller.workspace);
    const result = await checkFile(file, caller);
    this.print(result, () => validationText(args.file, result, screenOf(process.stdout)));
    if (!result.is_valid) process.exitCode = EXIT.INVALID;
  }
}
