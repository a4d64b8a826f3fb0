/** A fake `q` and `kiro-cli`: tells what it was started with, and answers as `chat-script.json` says. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const script = JSON.parse(readFileSync('chat-script.json', 'utf8'));
const folder = basename(process.argv[1] ?? '') === 'kiro-cli' ? '.kiro/agents' : '.aws/amazonq/cli-agents';
const file = join(process.env.HOME, folder, 'q-workflow.json');
writeFileSync(
  'chat-heard.json',
  JSON.stringify({
    words: process.argv.slice(2),
    agent: existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null,
    home: process.env.HOME,
    key: process.env.KIRO_API_KEY ?? null,
  }),
);
if (script.spew) setInterval(() => appendFileSync(script.spew, 'x'), 1);
else if (script.hang) setInterval(() => undefined, 60_000);
else {
  process.stdout.write(script.out ?? '');
  process.stderr.write(script.err ?? '');
  process.exitCode = script.code ?? 0;
}
