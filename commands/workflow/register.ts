import { Args } from '@oclif/core';
import { resolveTarget } from '../../src/cli/arguments.ts';
import { problemLine, WorkflowCommand } from '../../src/cli/base-command.ts';
import { inheritedEnvironment } from '../../src/client/caller.ts';

export default class Register extends WorkflowCommand {
  static override description = 'Register a workflow file: it can then be run by its name from anywhere.';
  static override examples = ['<%= config.bin %> workflow register examples/repo-report.json'];
  static override args = { file: Args.string({ required: true, description: 'path of a workflow file' }) };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Register);
    this.wantsJson = flags.json;
    const caller = this.caller(flags.workspace);
    const file = resolveTarget(args.file.includes('/') ? args.file : `./${args.file}`, caller.workspace);
    const client = await this.connect();
    try {
      const registered = await client.call('workflow.register', {
        file,
        caller,
        env: inheritedEnvironment(),
      });
      this.print(registered, () =>
        [
          `registered ${registered.name} ${registered.version}`,
          ...registered.problems.map((problem) => `  ${problemLine(problem)}`),
        ].join('\n'),
      );
    } finally {
      client.close();
    }
  }
}
