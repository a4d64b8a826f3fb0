import { Args, Flags } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { unknownWorkflow } from '../../src/cli/kill/given-scope.ts';
import { KILL_MODES, killText, tripSwitch } from '../../src/cli/kill/kill-run.ts';
import { locateHome } from '../../src/protocol/home.ts';

export default class Kill extends WorkflowCommand {
  static override description =
    'Trip a kill switch: ends what the scope covers, and refuses it until a person re-arms it.';
  static override examples = [
    '<%= config.bin %> workflow kill instance:4kz8s0a2bd --reason "runs wild"',
    '<%= config.bin %> workflow kill global',
    '<%= config.bin %> workflow kill workflow:triage --mode quarantine',
  ];
  static override args = {
    scope: Args.string({
      required: true,
      description: 'global, workflow:NAME, agent:NAME, tool:NAME, instance:ID or step:ID/PATH',
    }),
  };
  static override flags = {
    mode: Flags.option({
      options: KILL_MODES,
      default: 'kill' as const,
      description: 'stop: in good order; kill: at once; quarantine: freeze, note what is there, then kill',
    })(),
    reason: Flags.string({ default: 'no reason given', description: 'why; goes into the audit' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Kill);
    this.wantsJson = flags.json;
    const { mode, reason } = flags;
    const caller = this.caller(flags.workspace);
    const home = locateHome();
    const document = await tripSwitch(home, { scope: args.scope, mode, reason, caller });
    this.printWrapped(document, () => killText(document));
    const unknown =
      document.instances.length === 0 ? await unknownWorkflow(home, document.scope, caller) : null;
    if (unknown !== null) process.stderr.write(`note  ${unknown}\n`);
    const { survivors, instances, latch_fault } = document;
    if (survivors > 0 || latch_fault !== undefined || instances.some(({ failure }) => failure !== undefined))
      process.exitCode = 1;
  }
}
