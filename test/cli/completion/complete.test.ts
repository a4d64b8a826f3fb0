import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complete, type Shell } from '../../../src/cli/completion/complete.ts';
import type { Candidate, Commands, ManifestCommand } from '../../../src/cli/completion/request.ts';
import type { Sources } from '../../../src/cli/completion/sources.ts';

const command = (args: readonly string[], flags: ManifestCommand['flags'] = {}): ManifestCommand => ({
  description: 'Does it. And more.',
  args: Object.fromEntries(args.map((name) => [name, {}])),
  flags,
});
const COMMANDS: Commands = new Map([
  [
    'run',
    command(['workflow'], {
      detach: { type: 'boolean', char: 'd' },
      input: { type: 'option', char: 'i', multiple: true },
      context: { type: 'option', multiple: true },
    }),
  ],
  [
    'logs',
    command(['id'], { step: { type: 'option' }, stream: { type: 'option', options: ['stdout', 'stderr'] } }),
  ],
  ['kill', command(['scope'])],
  ['validate', { ...command([]), args: { file: { multiple: true } } }],
  ['kill status', command([])],
  ['schedule list', command([], { sort: { type: 'option' }, filter: { type: 'option', multiple: true } })],
  ['status', command(['id'], { sort: { type: 'option' } })],
  ['skills run', command(['skill'], { param: { type: 'option', char: 'p', multiple: true } })],
  ['completion', { ...command([]), args: { shell: { options: ['bash', 'zsh'] } } }],
]);
const some = (...values: readonly string[]): Promise<readonly Candidate[]> =>
  Promise.resolve(values.map((value) => ({ value, description: `the ${value}` })));
const SOURCES: Sources = {
  workflows: () => some('deploy', 'nightly', 'bad name; rm', '$(id)'),
  versions: (workflow) => some(`${workflow}@1`, `${workflow}@2`),
  instances: () => some('4kzq80xv2m'),
  steps: (id) => some(`of-${id}`, 'loop[1]/build'),
  inputs: (workflow) => some(`${workflow}-input=`),
  contexts: (workflow) => some(`${workflow}-context=`),
  parameters: (skill) => some(`${skill}-param=`),
  skills: () => some(),
  agents: () => some(),
  codes: () => [],
};
const values = async (shell: Shell, ...words: readonly string[]): Promise<string[]> =>
  (await complete(shell, words, COMMANDS, SOURCES))
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('\t')[0] ?? '');

test('commands and topics, with the first sentence of what they do', async () => {
  assert.deepEqual(await values('fish', 'workflow', ''), [
    'run',
    'logs',
    'kill',
    'validate',
    'schedule',
    'status',
    'skills',
    'completion',
  ]);
  assert.equal(await complete('zsh', ['workflow', 'lo'], COMMANDS, SOURCES), 'logs\tDoes it.\n');
  assert.deepEqual(await values('zsh', 'l'), ['logs']);
  assert.deepEqual(await values('zsh', 'workflow', 'schedule', ''), ['list']);
  assert.deepEqual(await values('zsh', 'workflow', 'nosuch', ''), []);
});

test('flags: those that are not there yet, and their values', async () => {
  assert.deepEqual(await values('zsh', 'run', '--'), ['--detach', '--input', '--context', '--help']);
  assert.deepEqual(await values('zsh', 'run', '--detach', '--input', 'a=1', '--'), [
    '--input',
    '--context',
    '--help',
  ]);
  assert.deepEqual(await values('zsh', 'logs', '4kz', '--stream', 'std'), ['stdout', 'stderr']);
  assert.deepEqual(await values('zsh', 'logs', '4kz', '--stream=stdo'), ['--stream=stdout']);
  assert.deepEqual(await values('zsh', 'completion', ''), ['bash', 'zsh']);
});

test('names that a shell would read as more than a word are not offered', async () => {
  assert.deepEqual(await values('zsh', 'run', ''), [':files', 'deploy', 'nightly']);
});

test('a boolean flag takes no word, one with a value does', async () => {
  assert.deepEqual(await values('zsh', 'run', '-d', 'de'), [':files', 'deploy']);
  assert.deepEqual(await values('zsh', 'run', '-i', 'x=1', 'de'), [':files', 'deploy']);
  assert.deepEqual(await values('zsh', 'run', 'deploy', ''), []);
});

test('steps are those of the instance that was named', async () => {
  assert.deepEqual(await values('zsh', 'logs', '4kz', '--step', ''), ['of-4kz', 'loop[1]/build']);
  assert.deepEqual(await values('zsh', 'logs', '--step', ''), ['of-latest', 'loop[1]/build']);
});

test('a command that has others below it completes both', async () => {
  assert.deepEqual(await values('zsh', 'kill', ''), [
    'status',
    'global',
    'workflow:deploy',
    'workflow:nightly',
    'instance:4kzq80xv2m',
  ]);
});

test('bash parts words at = and :, and gets what follows the last of them', async () => {
  assert.deepEqual(await values('bash', 'kill', 'workflow', ':', 'de'), ['deploy']);
  assert.deepEqual(await values('bash', 'kill', 'workflow', ':'), ['deploy', 'nightly']);
  assert.deepEqual(await values('bash', 'logs', '4kz', '--stream', '=', 'stdo'), ['stdout']);
});

test('the versions of a workflow, once its @ is there', async () => {
  assert.deepEqual(await values('bash', 'workflow', 'run', 'deploy', '@'), ['@1', '@2']);
  assert.deepEqual(await values('bash', 'workflow', 'run', 'deploy', '@2'), ['@2']);
  assert.deepEqual(await values('fish', 'run', 'deploy@2'), ['deploy@2']);
  assert.deepEqual(await values('zsh', 'run', 'deploy'), [':files', 'deploy']);
});

test('an argument that takes several is completed each time', async () => {
  assert.deepEqual(await values('zsh', 'validate', 'a.json', 'b.json', ''), [':files']);
  assert.deepEqual(await values('zsh', 'run', 'deploy', ''), []);
});

test('inputs are those of the workflow that is named', async () => {
  assert.deepEqual(await values('zsh', 'run', 'deploy', '--input', ''), ['deploy-input=']);
  assert.deepEqual(await values('zsh', 'run', 'deploy', '-i', 'de'), ['deploy-input=']);
  assert.deepEqual(await values('bash', 'run', 'deploy', '--input', 'de'), ['deploy-input=']);
});

test('values of a context, parameters of a skill, and columns of lists', async () => {
  assert.deepEqual(await values('zsh', 'workflow', 'run', 'deploy', '--context', ''), ['deploy-context=']);
  assert.deepEqual(await values('zsh', 'workflow', 'skills', 'run', 'build', '-p', ''), ['build-param=']);
  assert.deepEqual(await values('zsh', 'workflow', 'schedule', 'list', '--sort', 'last_'), [
    'last_status',
    'last_instance',
  ]);
  assert.deepEqual(await values('zsh', 'workflow', 'status', '--sort=-st'), [
    '--sort=-status',
    '--sort=-started',
  ]);
  assert.deepEqual(await values('bash', 'workflow', 'status', '--sort', '=', '-st'), ['-status', '-started']);
  assert.deepEqual(await values('fish', 'workflow', 'schedule', 'list', '--filter', 'z'), ['zone=']);
});
