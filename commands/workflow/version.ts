import { WorkflowCommand } from '../../src/cli/base-command.ts';

export default class Version extends WorkflowCommand {
  static override description =
    'Print the version of q workflow, and the Node that it runs on. A host has a version of its own.';
  static override examples = ['<%= config.bin %> workflow version'];

  async run(): Promise<void> {
    const { flags } = await this.parse(Version);
    this.wantsJson = flags.json;
    const version = this.ctor.plugin?.version ?? this.config.version;
    const { version: node, platform, arch } = process;
    this.print(
      { version, node, platform, arch },
      () => `q-workflow/${version} ${platform}-${arch} node-${node}`,
    );
  }
}
