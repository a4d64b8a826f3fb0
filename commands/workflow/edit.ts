import { Args, Flags } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { canAsk } from '../../src/cli/run/follow-run.ts';
import { EXIT } from '../../src/errors/table.ts';
import { WorkflowError } from '../../src/errors/workflow-error.ts';
import { locateHome } from '../../src/protocol/home.ts';

export default class Edit extends WorkflowCommand {
  static override description =
    'Change a workflow by answering questions: its steps, schedule, limits and inputs.';
  static override examples = [
    '<%= config.bin %> workflow edit nightly-report',
    '<%= config.bin %> workflow edit examples/repo-report.json',
  ];
  static override args = {
    workflow: Args.string({ required: true, description: 'name of a workflow, or its file' }),
  };
  static override flags = {
    'discard-draft': Flags.boolean({ description: 'throw the changes away that were kept' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Edit);
    this.wantsJson = flags.json;
    if (!canAsk(flags.json))
      throw new WorkflowError('USAGE', 'edit asks questions, and there is no terminal to ask on', {
        hint: 'Change the file in an editor, then run q workflow validate FILE.',
      });
    const caller = this.caller(flags.workspace);
    const [{ editWorkflow }, { createdText, register }] = await Promise.all([
      import('../../src/wizard/edit.ts'),
      import('../../src/wizard/finish.ts'),
    ]);
    const client = await this.connect();
    try {
      const request = { target: args.workflow, dropsDraft: flags['discard-draft'] };
      const edited = await editWorkflow(request, client, caller, locateHome());
      if (edited === null) {
        process.exitCode = EXIT.STOPPED;
        return;
      }
      const { created, wasRegistered, hasChanged } = edited;
      if (wasRegistered && hasChanged && created.file !== null) await register(client, created.file, caller);
      this.write(hasChanged ? createdText(created, wasRegistered) : 'Nothing has changed.');
    } finally {
      client.close();
    }
  }
}
