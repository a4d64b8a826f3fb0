import { WorkflowCommand } from '../../../src/cli/base-command.ts';
import { drillText } from '../../../src/cli/kill/drill-text.ts';
import { drill } from '../../../src/cli/kill/kill-drill.ts';
import { locateHome } from '../../../src/protocol/home.ts';

export default class KillDrill extends WorkflowCommand {
  static override description =
    'Prove the kill switch on a canary run, and leave the evidence in the audit. Touches no other run.';
  static override examples = ['<%= config.bin %> workflow kill drill'];

  async run(): Promise<void> {
    const { flags } = await this.parse(KillDrill);
    this.wantsJson = flags.json;
    const abort = new AbortController();
    const interrupt = (): void => abort.abort();
    // The cleaning up after it is bounded: a second Ctrl-C must not leave a canary behind.
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt).on('SIGHUP', interrupt);
    const document = await drill(locateHome(), this.caller(flags.workspace), abort.signal);
    this.printWrapped(document, () => drillText(document));
    if (!document.held) process.exitCode = 1;
  }
}
