import { resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { testPolicies, testText } from '../../../src/cli/policies.ts';
import { EXIT } from '../../../src/errors/table.ts';

export default class PolicyTest extends WorkflowCommand {
  static override description =
    'Run the tests inside policy files, and files of cases against them (or against what holds here).';
  static override examples = [
    '<%= config.bin %> workflow policy test policies/workspace-edit.json',
    '<%= config.bin %> workflow policy test policies/ci.json --cases cases.json',
  ];
  static override strict = false;
  static override args = { file: Args.string({ description: 'policy files and files of cases' }) };
  static override flags = {
    policy: Flags.string({ multiple: true, multipleNonGreedy: true, description: 'a policy file' }),
    cases: Flags.string({ multiple: true, multipleNonGreedy: true, description: 'a file of cases' }),
    environment: Flags.string({ description: 'name of the environment', env: 'Q_WORKFLOW_ENVIRONMENT' }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(PolicyTest);
    this.wantsJson = flags.json;
    const path = (file: unknown): string => resolve(String(file));
    const request = {
      files: [...(flags.policy ?? []), ...argv].map(path),
      cases: (flags.cases ?? []).map(path),
      environment: flags.environment ?? null,
    };
    const document = await testPolicies(request, this.caller(flags.workspace));
    this.printWrapped(document, () => testText(document));
    if (!document.passed) process.exitCode = EXIT.INVALID;
  }
}
