import { DecideCommand } from '../../src/cli/run/decide-approval.ts';

export default class Deny extends DecideCommand {
  static override description = 'Deny what a run waits for: it is told so and goes on.';
  static override examples = [
    '<%= config.bin %> workflow deny 4kz',
    '<%= config.bin %> workflow deny 4kz 2 --reason "looked at it"',
  ];

  async run(): Promise<void> {
    await this.decide('denied');
  }
}
