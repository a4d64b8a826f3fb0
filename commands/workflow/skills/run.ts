import { Args, Flags } from '@oclif/core';
import { parsePairs } from '../../../src/cli/arguments.ts';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { canAsk, followRun } from '../../../src/cli/follow-run.ts';
import { skillSource, skillWorkflow } from '../../../src/cli/skill-workflow.ts';
import { checkSkillCall } from '../../../src/cli/skills.ts';
import { inheritedEnvironment } from '../../../src/client/caller.ts';
import { modelEnvironment } from '../../../src/client/model-environment.ts';

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
      const started = await client.call('workflow.run', {
        target: skillSource(skill.name),
        definition: skillWorkflow(skill),
        caller,
        inputs: {},
        context: {},
        env: inheritedEnvironment(),
        modelEnv: modelEnvironment(caller.configHome),
        approvals: flags.detach || canAsk(flags.json) ? 'wait' : 'named',
      });
      if (flags.detach)
        this.print(
          { id: started.id, notices: started.notices, problems: started.problems },
          () => started.id,
        );
      else process.exitCode = await followRun(client, started, { isJson: flags.json, caller });
    } finally {
      client.close();
    }
  }
}
