import { Args, Flags } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { parsePairs } from '../../src/cli/run/arguments.ts';
import { runTarget } from '../../src/cli/run/standard-input.ts';
import { startRun } from '../../src/cli/run/start-run.ts';

export default class Run extends WorkflowCommand {
  static override description = 'Run a workflow, by name or from a file, and follow it to its end.';
  static override examples = [
    '<%= config.bin %> workflow run examples/repo-report.json',
    '<%= config.bin %> workflow run deploy --input version=1.4.2 --detach',
  ];
  static override args = {
    workflow: Args.string({
      required: true,
      description: 'name or name@version of a workflow, path of a file, or - for standard input',
    }),
  };
  static override flags = {
    input: Flags.string({
      char: 'i',
      multiple: true,
      description: 'a declared input, as name=value',
      helpValue: 'k=v',
    }),
    context: Flags.string({ multiple: true, description: 'replaces a context value', helpValue: 'k=v' }),
    approvals: Flags.option({
      options: ['wait', 'named', 'deny'] as const,
      description:
        'what has to be approved waits for a person: all, only where a rule or step names who may, or nothing (default: wait on a terminal and with --detach, else named)',
    })(),
    priority: Flags.integer({
      min: -10,
      max: 10,
      description: "place in the queue, in place of the workflow's own",
      helpValue: '-10..10',
    }),
    detach: Flags.boolean({ char: 'd', description: 'start it in the background and print its id' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Run);
    this.wantsJson = flags.json;
    const caller = this.caller(flags.workspace);
    const asked = {
      ...(await runTarget(args.workflow, caller.workspace)),
      inputs: parsePairs('--input', flags.input ?? []),
      context: parsePairs('--context', flags.context ?? []),
      ...(flags.priority === undefined ? {} : { priority: flags.priority }),
      ...(flags.approvals === undefined ? {} : { approvals: flags.approvals }),
    };
    const client = await this.connect();
    try {
      const options = { isJson: flags.json, isDetached: flags.detach };
      process.exitCode = await startRun(client, caller, asked, options);
    } finally {
      client.close();
    }
  }
}
