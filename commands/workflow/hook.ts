import { Flags } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { BLOCKED, decideHook, hookText } from '../../src/cli/hook.ts';

export default class Hook extends WorkflowCommand {
  static override description = `Decide about a tool call of Q or Kiro, as its preToolUse hook.
By the policies and kill switches that hold here; any end but an allow has status 2. See docs/hook.md.`;
  static override examples = [
    '<%= config.bin %> workflow hook < event.json',
    'timeout 20 <%= config.bin %> workflow hook || exit 2',
  ];
  static override flags = {
    agent: Flags.string({ description: 'name of the agent, for rules and kill switches that speak of it' }),
    environment: Flags.string({ description: 'name of the environment', env: 'Q_WORKFLOW_ENVIRONMENT' }),
    timeout: Flags.integer({
      description: 'block after so many seconds without a decision',
      default: 8,
      min: 1,
      max: 60,
    }),
  };

  async run(): Promise<void> {
    // Whatever happens from here on, nothing but a decision lets the tool run.
    process.exitCode = BLOCKED;
    // A standard error that cannot be written is thrown late, with status 1: the tool would run.
    process.prependListener('uncaughtException', () => process.exit(BLOCKED));
    const { flags } = await this.parse(Hook);
    this.wantsJson = flags.json;
    const answer = await decideHook({
      caller: this.caller(flags.workspace),
      agent: flags.agent ?? null,
      environment: flags.environment ?? null,
      timeoutMs: flags.timeout * 1000,
    });
    const text = hookText(answer);
    if (text !== null) process.stderr.write(`${text}\n`);
    if (flags.json) this.write(JSON.stringify(answer));
    if (answer.decision === 'allow') process.exitCode = 0;
  }

  override async catch(thrown: Error & { oclif?: { exit?: number } }): Promise<void> {
    await super.catch(thrown);
    process.exitCode = thrown.oclif?.exit === 0 ? 0 : BLOCKED;
  }
}
