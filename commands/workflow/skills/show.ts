import { Args } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { findSkill } from '../../../src/cli/skills.ts';
import { partText } from '../../../src/cli/text/parts.ts';
import { screenOf } from '../../../src/cli/text/screen.ts';

export default class SkillsShow extends WorkflowCommand {
  static override description = 'Show a skill: where it comes from, and how its file was read.';
  static override examples = ['<%= config.bin %> workflow skills show build'];
  static override args = {
    skill: Args.string({ required: true, description: 'name of a skill, or path of its file' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SkillsShow);
    this.wantsJson = flags.json;
    const found = await findSkill(args.skill, this.caller(flags.workspace));
    this.print(found, () => partText(found, screenOf(process.stdout)));
  }
}
