import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WorkflowError } from '../../../../src/errors/workflow-error.ts';
import { parseHookEvent } from '../../../../src/guard/policy/calls/hook-event.ts';
import { toolNames } from '../../../../src/guard/policy/rules/match-tool.ts';

const event = (more: object): string =>
  JSON.stringify({ hook_event_name: 'preToolUse', tool_name: 'fs_read', ...more });

function refusal(text: string): string {
  try {
    parseHookEvent(text);
  } catch (error) {
    assert.ok(error instanceof WorkflowError && error.code === 'USAGE');
    return error.message;
  }
  assert.fail(`${text} was taken`);
}

describe('hook events', () => {
  test('an event is the call that it tells of', () => {
    const text = event({ cwd: '/ws', session_id: 's', tool_input: { path: 'a' } });
    assert.deepEqual(parseHookEvent(text), { tool: 'fs_read', args: { path: 'a' }, cwd: '/ws' });
    assert.deepEqual(parseHookEvent(event({})), { tool: 'fs_read', args: {}, cwd: null });
    assert.equal(parseHookEvent(event({ hook_event_name: 'PreToolUse' })).tool, 'fs_read');
  });

  test('tools of MCP servers have the name that policies know', () => {
    const nameOf = (name: string): string => parseHookEvent(event({ tool_name: name })).tool;
    assert.equal(nameOf('notes___save'), '@notes/save');
    assert.equal(nameOf('my.notes-2___save___all'), '@my.notes-2/save___all');
    assert.equal(nameOf('@notes/save'), '@notes/save');
    assert.equal(nameOf('___save'), '___save');
  });

  test('the folder of a shell command is found under each of its names', () => {
    const argsOf = (tool: string, input: object): object =>
      parseHookEvent(event({ tool_name: tool, tool_input: input })).args;
    for (const name of [
      'cwd',
      'working_dir',
      'workingDir',
      'working_directory',
      'workdir',
      'dir_path',
      'dir',
    ])
      assert.deepEqual(argsOf('shell', { [name]: '/x' }), { [name]: '/x', cwd: '/x' });
    assert.deepEqual(argsOf('execute_bash', { working_dir: null }), { working_dir: null });
    const later = { working_dir: null, working_directory: '/etc' };
    assert.deepEqual(argsOf('execute_bash', later), { ...later, cwd: '/etc' });
    assert.deepEqual(argsOf('fs_read', { working_dir: '/x' }), { working_dir: '/x' });
    assert.equal(
      refusal(event({ tool_name: 'execute_cmd', tool_input: { cwd: '.', working_dir: '/' } })),
      'the hook event names the folder of its command twice',
    );
  });

  test('what is no such event is refused, and so is what two readers would read in two ways', () => {
    assert.equal(refusal(' '), 'the hook event is empty');
    assert.equal(refusal('[1]'), 'the hook event is no JSON object');
    assert.equal(
      refusal('{"hook_event_name":"postToolUse"}'),
      'the hook event is "postToolUse", and only preToolUse is decided here',
    );
    assert.equal(refusal(event({ tool_name: '' })), 'the hook event has no "tool_name", which is a text');
    assert.equal(
      refusal(event({ tool_input: [] })),
      'the hook event has a "tool_input" that is no JSON object',
    );
    assert.equal(refusal(event({ cwd: 1 })), 'the hook event has a "cwd" that is no text');
    assert.match(
      refusal(`${event({}).slice(0, -1)},"tool_name":"x"}`),
      /^the hook event cannot be used: .*tool_name/,
    );
    assert.match(refusal('['.repeat(10_000)), /nested deeper/);
  });

  test('what would take seconds to judge is refused', () => {
    const inputOf = (input: object): string => event({ tool_input: input });
    assert.equal(
      refusal(inputOf({ list: Array.from({ length: 1000 }, (_, at) => `/a/${at}`) })),
      'the hook event is not judged: its tool_input has more than 1000 values',
    );
    assert.equal(
      refusal(inputOf({ path: 'a/'.repeat(131_073) })),
      'the hook event is not judged: its tool_input has a line of 262146 characters',
    );
    parseHookEvent(inputOf({ content: 'a\n'.repeat(200_000), list: Array(997).fill(1) }));
  });

  test('a switch may hold a tool by each of its names', () => {
    for (const called of ['shell', 'execute_bash', 'EXECUTE_BASH'])
      for (const name of [called, 'shell', 'bash', 'execute_bash', 'execute_cmd'])
        assert.ok(toolNames(called).includes(name), `${called} ${name}`);
    assert.ok(!toolNames('shell').includes('fs_write'));
    assert.deepEqual(toolNames('@notes/save'), ['@notes/save']);
  });
});
