import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { argumentHabit, flagHabit } from '../../src/cli/habits.ts';
import { explainUnknown } from '../../src/cli/unknown-command.ts';
import { ROOT } from '../setup/bench-home.ts';

const COMMANDS = readdirSync(join(ROOT, 'commands'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length).replaceAll('/', ' '));
const hintFor = (line: string): string => explainUnknown(line.split(' '), COMMANDS).hint;

test('words of other tools are answered with what to type', () => {
  const meant = (line: string): string | undefined => /^Did you mean q (.*)\?$/.exec(hintFor(line))?.[1];
  for (const [given, typed] of [
    ['workflow ls', 'workflow list'],
    ['workflow ps', 'workflow status'],
    ['workflow rm x', 'workflow unregister'],
    ['workflow cancel latest', 'workflow stop'],
    ['workflow history', 'workflow status --all'],
    ['workflow runs', 'workflow status --all'],
    ['workflow retry 4kz', 'workflow resume <id>'],
    ['workflow tail', 'workflow logs <id> -f'],
    ['workflow trigger x', 'workflow schedule trigger'],
    ['workflow schedule ls', 'workflow schedule list'],
    ['workflow skills describe x', 'workflow skills show'],
    ['workflow audit log', 'workflow audit list'],
    ['workflow archive rm', 'workflow archive prune'],
  ] as const)
    assert.equal(meant(given), typed, given);
});

test('a habit comes before what is spelled alike', () => {
  assert.match(hintFor('workflow supervisor restart'), /supervisor stop, then q workflow supervisor start/);
  assert.equal(hintFor('workflow supervisor restor'), 'Did you mean q workflow supervisor restore?');
});

test('a word that was cut short is answered with the one command that begins so', () => {
  assert.equal(hintFor('workflow stat'), 'Did you mean q workflow status?');
  assert.equal(hintFor('workflow re'), 'Run q workflow --help to see the commands.');
  assert.equal(hintFor('workflow supervisor metr'), 'Did you mean q workflow supervisor metrics?');
});

test('a command that stands below another topic is named with it', () => {
  assert.equal(hintFor('workflow prune'), 'Did you mean q workflow archive prune or q workflow audit prune?');
  assert.equal(hintFor('workflow verify'), 'Did you mean q workflow audit verify?');
  assert.equal(hintFor('workflow install --user'), 'Did you mean q workflow supervisor install?');
  assert.equal(hintFor('workflow schedule prune'), 'Run q workflow schedule --help to see the commands.');
});

test('every command that is named is there, and no habit is a command', () => {
  const words = COMMANDS.map((id) => id.replace(/^workflow /, ''));
  for (const word of ['ls', 'ps', 'rm', 'start', 'top', 'watch', 'describe', 'check', 'info']) {
    assert.ok(!words.includes(word), word);
    const named = /q workflow ([a-z ]+)/.exec(hintFor(`workflow ${word}`))?.[1]?.trim() ?? '';
    assert.ok(words.includes(named), `${word}: ${named}`);
  }
});

test('words of Object.prototype are habits of nobody', () => {
  assert.equal(hintFor('workflow constructor'), 'Run q workflow --help to see the commands.');
  assert.equal(flagHabit('workflow run', 'toString', ['input']), undefined);
});

test('flags of other tools are answered with ours, where the command has it', () => {
  assert.equal(flagHabit('workflow list', '--format', ['output']), 'Did you mean --output?');
  assert.equal(flagHabit('workflow run', '-p', ['input', 'detach']), 'Did you mean --input?');
  assert.equal(flagHabit('workflow list', '-p', ['output']), undefined);
  assert.match(flagHabit('workflow run', '--watch', ['input']) ?? '', /followed to its end without a flag/);
});

test('a value, or a step, without its flag is answered with the flag', () => {
  assert.equal(argumentHabit('shop=west', ['input', 'context']), 'Did you mean --input shop=west?');
  assert.equal(argumentHabit('shop=west', ['param']), 'Did you mean --param shop=west?');
  assert.equal(argumentHabit('west', ['input']), undefined);
  assert.equal(argumentHabit('fetch', ['step', 'stream']), 'Did you mean --step fetch?');
});
