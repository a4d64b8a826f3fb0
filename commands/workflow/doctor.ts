import { Flags } from '@oclif/core';
import { WorkflowCommand } from '../../src/cli/base-command.ts';
import { checkHealth, healthText } from '../../src/cli/health/health.ts';
import { modelRow } from '../../src/cli/health/model-health.ts';
import { screenOf } from '../../src/cli/text/screen.ts';
import { EXIT } from '../../src/errors/table.ts';
import { locateHome } from '../../src/protocol/home.ts';

export default class Doctor extends WorkflowCommand {
  static override description = 'Say what holds on this machine and what does not, with what to do about it.';
  static override examples = [
    '<%= config.bin %> workflow doctor',
    '<%= config.bin %> workflow doctor --model default',
  ];
  static override flags = {
    model: Flags.string({
      description: 'also make one real request to this model of the configuration; default: the default one',
      helpValue: 'NAME',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Doctor);
    this.wantsJson = flags.json;
    const rows = await checkHealth(this.caller(flags.workspace));
    if (flags.model !== undefined) {
      const name = flags.model === 'default' ? null : flags.model;
      rows.push(await modelRow(locateHome(), this.caller(flags.workspace), name));
    }
    this.print({ is_healthy: rows.every((row) => row.state !== 'broken'), checks: rows }, () =>
      healthText(rows, screenOf(process.stdout)),
    );
    if (rows.some((row) => row.state === 'broken')) process.exitCode = EXIT.UNREACHABLE;
  }
}
