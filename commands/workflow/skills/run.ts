import { Args, Flags } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { parsePairs } from '../../../src/cli/run/arguments.ts';
import { startRun } from '../../../src/cli/run/start-run.ts';
import { skillSource, skillWorkflow } from '../../../src/cli/skill-workflow.ts';
import { checkSkillCall } from '../../../src/cli/skills.ts';

export default class SkillsRun extends WorkflowCommand {
  static override description =
    'Run one skill as a workflow of one step: isolated, supervised and recorded as in any other.';
  static override examples = [
    '<%= config.bin %> workflow skills run file-inventory',
    '<%= config.bin %> workflow skills run remark --param text=hello --json',
  ];
  static override args = {
    skill: Args.string({ required: true, description: 'name of a skill, or an alias of it' }),
  };
  static override flags = {
    param: Flags.string({
      char: 'p',
      multiple: true,
      multipleNonGreedy: true,
      description: 'a parameter of the skill, as name=value',
      helpValue: 'k=v',
    }),
    detach: Flags.boolean({ char: 'd', description: 'start it in the background and print its id' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SkillsRun);
    this.wantsJson = flags.json;
    const caller = this.caller(flags.workspace);
    const skill = await checkSkillCall(args.skill, parsePairs('--param', flags.param ?? []), caller);
    const client = await this.connect();
    try {
      const asked = {
        target: skillSource(skill.name),
        definition: skillWorkflow(skill),
        inputs: {},
        context: {},
      };
      const options = { isJson: flags.json, isDetached: flags.detach };
      process.exitCode = await startRun(client, caller, asked, options);
    } finally {
      client.close();
    }
  }
}
