import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import { type Bench, openBench, ROOT } from '../setup/bench-home.ts';
import { blocksOf, commandsOf, type DocCommand, missingLines, runCommands } from '../setup/doc-commands.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

describe('the commands of our pages print what the pages show', { timeout: 280_000 }, () => {
  test('docs/tutorial.md', { skip: lacks }, async () => {
    const port = await freePort();
    await runPage('docs/tutorial.md', (text) => text.replaceAll('8787', String(port)));
  });

  test('docs/recipes.md', { skip: lacks }, async () => {
    const port = await freePort();
    await runPage('docs/recipes.md', (text) => text.replaceAll('8787', String(port)));
  });

  test('docs/agents.md', { skip: lacks }, async () => {
    const port = await freePort();
    const onPort = (text: string): string =>
      text.replaceAll('8787', String(port)).replace('scenario.json &', `scenario.json ${port} > /dev/null &`);
    await runPage('docs/agents.md', onPort);
  });

  test('docs/policies.md', () => runPage('docs/policies.md', (text) => text));

  test('docs/schedules.md', () =>
    // The next fire of the list is another one each day.
    runPage('docs/schedules.md', (text) => text.replace(/^nightly {3}2026.*never$/m, 'nightly … never'), {
      prepare: (bench, text) => {
        const [definition] = blocksOf(text).filter(({ language }) => language === 'json');
        bench.script('nightly.json', definition?.lines.join('\n') ?? '');
        bench.skill('say', { type: 'prompt_inline', prompt_template: 'good night' });
        return bench.workspace;
      },
    }));

  test('README.md', async () => {
    const written = ['repo-report.md', 'ledger.txt'].map((name) => join(ROOT, name));
    const own = written.filter((file) => !existsSync(file));
    try {
      await runPage('README.md', (text) => text, { more: tableCommands });
    } finally {
      for (const file of own) rmSync(file, { force: true });
    }
  });
});

interface PageOptions {
  readonly more?: (text: string) => DocCommand[];
  /** Puts what the page takes for granted into the workspace, and answers the folder to run in. */
  readonly prepare?: (bench: Bench, text: string) => string;
}

async function runPage(
  page: string,
  change: (text: string) => string,
  { more = () => [], prepare = () => ROOT }: PageOptions = {},
): Promise<void> {
  const text = change(readFileSync(join(ROOT, page), 'utf8'));
  const commands = [...commandsOf(text), ...more(text)];
  assert.ok(commands.length > 0, `${page} has no commands`);
  const bench = openBench();
  try {
    const folder = join(bench.workspace, 'ran');
    const cwd = prepare(bench, text);
    // As q where a page has it so.
    const env = { ...bench.env, PATH: `${join(ROOT, 'bin')}:${bench.env['PATH']}` };
    const ran = await runCommands(commands, { folder, cwd, env, deadlineMs: 200_000 });
    for (const [index, command] of commands.entries()) {
      const { status, output } = ran[index] ?? { status: null, output: '' };
      const where = `${page}:${command.line}: ${command.text}\nprinted:\n${output}`;
      assert.equal(status, 0, `exit ${status} of ${where}`);
      assert.deepEqual(missingLines(command, output), [], `not printed by ${where}`);
    }
  } finally {
    await bench.close();
  }
}

/** Of the tables: what runs an example or only looks. The others change the machine, or need an id. */
const HARMLESS =
  /^\.\/bin\/q workflow (run examples|status --all|audit (list|verify)|graph latest$|logs latest|explain|skills list|policy explain|doctor$)/;
/** Examples that show a failure. */
const FAILS: Readonly<Record<string, number>> = { 'examples/saga.json': 1, 'examples/memory-limit.json': 8 };

function tableCommands(text: string): DocCommand[] {
  return text.split('\n').flatMap((row, index) => {
    if (!row.startsWith('| `./bin/q')) return [];
    const [, cell = ''] = row.split(/(?<!\\)\|/);
    return [...cell.matchAll(/`([^`]+)`/g)]
      .map(([, command = '']) => command.replaceAll('\\|', '|'))
      .filter((command) => HARMLESS.test(command))
      .map((command) => {
        const [, status = 0] = Object.entries(FAILS).find(([file]) => command.includes(file)) ?? [];
        return { line: index + 1, text: `${command}; [ $? = ${status} ]`, shown: [] };
      });
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
