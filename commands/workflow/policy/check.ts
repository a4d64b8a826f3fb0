import { resolve } from 'node:path';
import { Args } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { checkPolicies, checkText } from '../../../src/cli/policies.ts';
import { EXIT } from '../../../src/errors/table.ts';

export default class PolicyCheck extends WorkflowCommand {
  static override description =
    'Check policy files: schema, owner and their own tests. Without a file: all that hold here.';
  static override examples = [
    '<%= config.bin %> workflow policy check policies/default.json',
    '<%= config.bin %> workflow policy check --json',
  ];
  static override strict = false;
  static override args = { file: Args.string({ description: 'policy files' }) };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(PolicyCheck);
    this.wantsJson = flags.json;
    const files = argv.map((file) => resolve(String(file)));
    const document = await checkPolicies(files, this.caller(flags.workspace));
    this.printWrapped(document, () => checkText(document));
    if (!document.is_valid) process.exitCode = EXIT.INVALID;
  }
}
