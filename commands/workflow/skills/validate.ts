import { Args } from '@oclif/core';
import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { findSkill, listSkills } from '../../../src/cli/skills.ts';
import { checkText } from '../../../src/cli/text/parts.ts';
import { screenOf } from '../../../src/cli/text/screen.ts';
import { EXIT } from '../../../src/errors/table.ts';

export default class SkillsValidate extends WorkflowCommand {
  static override description =
    'Check skill files: what is wrong, ignored, or read another way than it is written.';
  static override examples = [
    '<%= config.bin %> workflow skills validate',
    '<%= config.bin %> workflow skills validate build',
  ];
  static override args = {
    skill: Args.string({ description: 'name of a skill, or path of its file (default: all)' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SkillsValidate);
    this.wantsJson = flags.json;
    const caller = this.caller(flags.workspace);
    const found = args.skill === undefined ? await listSkills(caller) : [await findSkill(args.skill, caller)];
    this.print(found, () => checkText(found, 'skill', screenOf(process.stdout)));
    if (found.some((part) => !part.is_usable)) process.exitCode = EXIT.INVALID;
  }
}
