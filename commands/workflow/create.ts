import { Args, Flags } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { canAsk } from '../../src/cli/run/follow-run.ts';
import { EXIT } from '../../src/errors/table.ts';
import { locateHome } from '../../src/protocol/home.ts';

export default class Create extends WorkflowCommand {
  static override description =
    'Make a workflow by answering questions. Escape goes back, Ctrl-C keeps the answers for later.';
  static override examples = [
    '<%= config.bin %> workflow create',
    '<%= config.bin %> workflow create "check the disks every night and mail a report"',
    '<%= config.bin %> workflow create --from answers.json --print',
  ];
  static override args = { purpose: Args.string({ description: 'what the workflow is for, in a sentence' }) };
  static override flags = {
    from: Flags.string({
      description:
        'take the answers from a JSON file (- is the standard input); on a terminal you look at it before it is saved',
    }),
    file: Flags.string({ description: 'where the workflow goes (default: .amazonq/workflows/NAME.json)' }),
    draft: Flags.boolean({ description: 'let the configured model draft it from the purpose' }),
    yes: Flags.boolean({ char: 'y', description: 'ask nothing: what is not said takes its default' }),
    print: Flags.boolean({ description: 'only print the workflow file' }),
    force: Flags.boolean({ description: 'replace a file that is there' }),
    register: Flags.boolean({
      description: 'register it: it is found from anywhere, and its schedule holds',
    }),
    run: Flags.boolean({ description: 'run it when it is saved', exclusive: ['print', 'json'] }),
    'discard-draft': Flags.boolean({ description: 'throw the answers away that were kept' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Create);
    this.wantsJson = flags.json;
    const caller = this.caller(flags.workspace);
    const [{ createWorkflow }, { createdText, register, runNow }] = await Promise.all([
      import('../../src/wizard/create.ts'),
      import('../../src/wizard/finish.ts'),
    ]);
    const outcome = await createWorkflow(
      {
        purpose: args.purpose ?? null,
        from: flags.from ?? null,
        file: flags.file ?? null,
        wantsDraft: flags.draft,
        isSilent: flags.yes,
        isForced: flags.force,
        isPrinted: flags.print,
        dropsDraft: flags['discard-draft'],
        canAsk: canAsk(flags.json),
      },
      caller,
      locateHome(),
    );
    if (outcome === null) {
      process.exitCode = EXIT.STOPPED;
      return;
    }
    const { created, isRegistered, isRun } = outcome;
    const { file } = created;
    if (file === null) {
      this.print(flags.json ? created : null, () => JSON.stringify(created.definition, null, 2));
      return;
    }
    const [registers, runs] = [flags.register || isRegistered, flags.run || isRun];
    const client = registers || runs ? await this.connect() : null;
    try {
      if (client !== null && registers) await register(client, file, caller);
      this.print({ ...created, is_registered: registers }, () => createdText(created, registers));
      if (client !== null && runs) process.exitCode = await runNow(client, file, caller);
    } finally {
      client?.close();
    }
  }
}
