import { Args } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { screenOf } from '../../src/cli/text/screen.ts';
import { checkFiles, validationText } from '../../src/cli/validation.ts';
import { EXIT } from '../../src/errors/table.ts';

export default class Validate extends WorkflowCommand {
  static override description = 'Check workflow files, without a supervisor and without running anything.';
  static override examples = [
    '<%= config.bin %> workflow validate examples/repo-report.json',
    '<%= config.bin %> workflow validate flows/*.json',
  ];
  static override args = {
    file: Args.string({
      required: true,
      multiple: true,
      description: 'path of a workflow file, or of several; - for standard input',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Validate);
    this.wantsJson = flags.json;
    const caller = this.caller(flags.workspace);
    const results = await checkFiles(args.file, caller);
    const areValid = results.every(({ is_valid }) => is_valid);
    const [only] = results;
    const document = results.length === 1 ? only : { is_valid: areValid, files: results };
    const screen = screenOf(process.stdout);
    this.print(document, () => results.map((result) => validationText(result, screen)).join('\n'));
    if (!areValid) process.exitCode = EXIT.INVALID;
  }
}
