import { Flags } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';

export default class Mcp extends WorkflowCommand {
  static override description = `Serve workflows to an agent as MCP tools.
It speaks on standard input and output until the input ends; an agent starts it by itself. See docs/mcp.md.`;
  static override examples = [
    '<%= config.bin %> workflow mcp',
    '<%= config.bin %> workflow mcp --read-only',
    '<%= config.bin %> workflow mcp --only deploy --only nightly-report --workspace ~/project',
  ];
  static override flags = {
    'read-only': Flags.boolean({ description: 'offer only the tools that start and stop nothing' }),
    only: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      description: 'offer only this workflow, and no files',
      helpValue: 'NAME',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Mcp);
    if (process.stdin.isTTY)
      process.stderr.write(
        'This serves MCP to an agent, which starts it by itself: docs/mcp.md. It waits for messages; Ctrl-D ends it.\n',
      );
    const { serveMcp } = await import('../../src/cli/mcp/serve.ts');
    await serveMcp({
      caller: this.caller(flags.workspace),
      version: this.config.version,
      isReadOnly: flags['read-only'],
      allowed: flags.only ?? null,
    });
  }
}
