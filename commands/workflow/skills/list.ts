import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { listSkills, NO_SKILLS } from '../../../src/cli/skills.ts';
import { LIST_FLAGS, listText } from '../../../src/cli/text/list-flags.ts';
import { partColumns } from '../../../src/cli/text/parts.ts';

export default class SkillsList extends WorkflowCommand {
  static override description = 'List the skills that workflows can name from here.';
  static override examples = [
    '<%= config.bin %> workflow skills list',
    '<%= config.bin %> workflow skills list --filter status=broken',
  ];
  static override flags = LIST_FLAGS;

  async run(): Promise<void> {
    const { flags } = await this.parse(SkillsList);
    this.wantsJson = flags.json;
    const found = await listSkills(this.caller(flags.workspace));
    this.write(listText(found, partColumns('skills'), flags, NO_SKILLS));
  }
}
