import { Args } from '@oclif/core';
import { problemLine, WorkflowCommand } from '../../src/cli/base-command.ts';
import { resolveFile } from '../../src/cli/run/arguments.ts';
import { printable } from '../../src/cli/text/style.ts';
import { inheritedEnvironment } from '../../src/client/caller.ts';

export default class Register extends WorkflowCommand {
  static override description = 'Register a workflow file: it can then be run by its name from anywhere.';
  static override examples = [
    '<%= config.bin %> workflow register examples/repo-report.json',
    '<%= config.bin %> workflow register deploy@2',
  ];
  static override args = {
    file: Args.string({
      required: true,
      description: 'path of a workflow file, or name@version of one that was registered, to go back to it',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Register);
    this.wantsJson = flags.json;
    const caller = this.caller(flags.workspace);
    const file = resolveFile(args.file, caller.workspace);
    const client = await this.connect();
    try {
      const registered = await client.call('workflow.register', {
        file,
        caller,
        env: inheritedEnvironment(),
      });
      const { name, version, number, is_new: isNew, replaces, problems } = registered;
      this.printWrapped(registered, () =>
        [
          isNew
            ? `registered ${name} ${version} as ${name}@${number}`
            : `registered ${name} ${version}: it is ${name}@${number}, which is current now`,
          ...(replaces === null
            ? []
            : [`  in the place of ${replaces.version} from ${printable(replaces.file)}`]),
          ...problems.map((problem) => `  ${problemLine(problem)}`),
        ].join('\n'),
      );
    } finally {
      client.close();
    }
  }
}
