/**
 * usage: sh scripts/node scripts/mock-provider.ts SCENARIO.json [PORT]   plays a script of answers as a model provider
 *
 * Speaks chat completions, Anthropic messages and Bedrock's converse stream on 127.0.0.1 (port 8787 by default) and
 * prints a line for each request. docs/agents.md shows how to run an example against it.
 */
import { readFileSync } from 'node:fs';
import type { Scenario } from '../test/provider/scenario.ts';
import { startMockProvider } from '../test/provider/server.ts';

const [file, port = '8787'] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('usage: sh scripts/node scripts/mock-provider.ts SCENARIO.json [PORT]\n');
  process.exit(2);
}
const scenario = JSON.parse(readFileSync(file, 'utf8')) as Scenario;
const provider = await startMockProvider(scenario, Number(port));
process.stdout.write(`${provider.url} plays ${file}: ${scenario.turns.length} turns; Ctrl-C ends it
q workflow run … with: Q_WORKFLOW_MODEL=mock Q_WORKFLOW_MODEL_BASE_URL=${provider.url}/v1
`);
for (let count = 1; ; count += 1) {
  await provider.whenAsked(count);
  process.stdout.write(`request ${count}: ${provider.requests[count - 1]?.path}\n`);
}
