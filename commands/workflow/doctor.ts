import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { checkHealth, healthText } from '../../src/cli/health.ts';
import { EXIT } from '../../src/errors/table.ts';

export default class Doctor extends WorkflowCommand {
  static override description = 'Say what holds on this machine and what does not, with what to do about it.';
  static override examples = [
    '<%= config.bin %> workflow doctor',
    '<%= config.bin %> workflow doctor --json',
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(Doctor);
    this.wantsJson = flags.json;
    const rows = await checkHealth();
    this.print({ is_healthy: rows.every((row) => row.state !== 'broken'), checks: rows }, () =>
      healthText(rows),
    );
    if (rows.some((row) => row.state === 'broken')) process.exitCode = EXIT.UNREACHABLE;
  }
}
