import { WorkflowCommand } from '../../../src/cli/base-command.ts';

export default class AuditKey extends WorkflowCommand {
  static override description = 'Print the public key that signs the audit log, and where it is anchored.';
  static override examples = ['<%= config.bin %> workflow audit key'];

  async run(): Promise<void> {
    const { flags } = await this.parse(AuditKey);
    this.wantsJson = flags.json;
    const client = await this.connect();
    try {
      const about = await client.call('audit.about', {});
      this.print(about, () =>
        [`${about.key}`, `  log     ${about.log}`, `  anchor  ${about.anchor}`].join('\n'),
      );
    } finally {
      client.close();
    }
  }
}
