import { Args, Flags } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { resolveTarget } from '../../src/cli/run/arguments.ts';
import { followRun } from '../../src/cli/run/follow-run.ts';
import { printDetached } from '../../src/cli/run/start-run.ts';
import { modelEnvironment } from '../../src/client/model-environment.ts';
import { withSuccessor } from '../../src/client/next-supervisor.ts';

export default class Resume extends WorkflowCommand {
  static override description =
    'Go on with an instance that failed, timed out or was stopped. Completed steps are not run again.';
  static override examples = [
    '<%= config.bin %> workflow resume latest',
    '<%= config.bin %> workflow resume 4kz --from deploy --detach',
    '<%= config.bin %> workflow resume 4kz --definition new',
  ];
  static override args = {
    id: Args.string({ required: true, description: 'id of an instance, a prefix of it, or latest' }),
  };
  static override flags = {
    from: Flags.string({
      description: 'run this step (its path or id) and all after it again',
      helpValue: 'step',
    }),
    definition: Flags.string({
      description:
        'go on with another definition: new, for what its name or file means now, or a name@version or file',
      helpValue: 'new',
    }),
    pinned: Flags.boolean({
      exclusive: ['definition'],
      description:
        'go on with definition, skills and agents as they were when the run began, also where files changed since',
    }),
    detach: Flags.boolean({ char: 'd', description: 'go on in the background' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Resume);
    this.wantsJson = flags.json;
    const caller = this.caller(flags.workspace);
    const first = await this.connect();
    let client = first;
    try {
      const { id } = await client.call('instance.status', { id: args.id });
      const pins = flags.pinned ? 'pinned' : 'check';
      const { client: answering, answer: resumed } = await withSuccessor(first, (each) =>
        each.call('instance.resume', {
          id,
          from: flags.from ?? null,
          pins,
          caller,
          definition:
            flags.definition === undefined ? null : resolveTarget(flags.definition, caller.workspace),
          modelEnv: modelEnvironment(caller.configHome),
        }),
      );
      client = answering;
      if (flags.detach) await printDetached(client, resumed, flags.json);
      else process.exitCode = await followRun(client, resumed, { isJson: flags.json, caller });
    } finally {
      first.close();
      client.close();
    }
  }
}
