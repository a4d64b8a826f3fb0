/** Entry of bin/q and bin/q-workflow: dispatches to the oclif commands in dist/commands. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { runCli } = await import('./run-cli.ts');
await runCli();
