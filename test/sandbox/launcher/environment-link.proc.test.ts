import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { environmentLink } from '../../../sandbox/launcher/environment-link.ts';

/** The environment that a command gets through the link, as Node sees it. */
async function through(env: Record<string, string>): Promise<{ got: unknown; code: number | null }> {
  const { argv, text } = environmentLink(env, 'link');
  const [file = '', ...args] = argv;
  const print = ['-e', 'process.stdout.write(JSON.stringify(process.env))'];
  const child = spawn(file, [...args, process.execPath, ...print], {
    env: { PATH: '/usr/bin:/bin', PWD: '/other' },
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  });
  (child.stdio[3] as Socket).end(text);
  let out = '';
  child.stdout?.on('data', (chunk) => (out += String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { got: JSON.parse(out || 'null'), code };
}

const environments: Readonly<Record<string, Record<string, string>>> = {
  none: {},
  quotes: { A: `it's "$HOME" \`id\` $(id) \\ \\n`, B: '' },
  'line ends': { A: 'a\nb\n', B: '\n', C: "'\n'" },
  'the names that shells use': {
    PATH: '/x',
    PWD: '/y',
    HOME: '',
    IFS: 'x',
    OPTIND: 'no',
    PPID: '1',
    _: 'u',
    UID: 'z',
  },
  'names that are none for a shell': { 'a-b': '1', 'c.d': '2', '': '3' },
  'a long one': { A: `${'x'.repeat(120_000)}'\n`, B: 'ä€𝄞' },
};
for (const [name, env] of Object.entries(environments))
  test(`the environment arrives as it is: ${name}`, async () => {
    const { got, code } = await through(env);
    assert.equal(code, 0);
    // A variable without a name is not one: execve(2) would take it, no program finds it.
    const { '': _nameless, ...named } = env;
    const { '': _other, ...rest } = got as Record<string, string>;
    assert.deepEqual(rest, named);
  });

test('a link that gets nothing ends with 125, and the command does not run', async () => {
  const { argv } = environmentLink({}, 'link');
  const [file = '', ...args] = argv;
  const child = spawn(file, [...args, '/bin/echo', 'ran'], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] });
  (child.stdio[3] as Socket).end();
  let out = '';
  child.stdout?.on('data', (chunk) => (out += String(chunk)));
  assert.equal(await new Promise((resolve) => child.once('close', resolve)), 125);
  assert.equal(out, '');
});
