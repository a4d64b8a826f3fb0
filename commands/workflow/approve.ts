import { DecideCommand } from '../../src/cli/run/decide-approval.ts';

export default class Approve extends DecideCommand {
  static override description = 'Approve what a run waits for: exactly this, once.';
  static override examples = [
    '<%= config.bin %> workflow approve 4kz',
    '<%= config.bin %> workflow approve 4kz 2 --reason "looked at it"',
  ];

  async run(): Promise<void> {
    await this.decide('approved');
  }
}
