import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JudgedCall, judgedCalls } from '../../../src/agents/acp/judged-call.ts';
import type { CallUpdate } from '../../../src/agents/acp/messages.ts';

const of = (call: Omit<CallUpdate, 'id'>): readonly JudgedCall[] => judgedCalls({ id: 't', ...call }, '/ws');
const bash = (command: string, more: object = {}): JudgedCall[] => [
  { tool: 'execute_bash', args: { command, ...more } },
];

test('a command line is a command line, whatever its kind is called', () => {
  assert.deepEqual(
    of({ kind: 'execute', rawInput: { command: 'ls -la', cwd: 'src' } }),
    bash('ls -la', { cwd: 'src' }),
  );
  assert.deepEqual(of({ kind: 'read', rawInput: { command: ['bash', '-lc', 'cat x'] } }), bash('cat x'));
  assert.deepEqual(
    of({ kind: 'think', rawInput: { command: '/bin/sh', args: ['-c', 'rm x'] } }),
    bash('rm x'),
  );
  assert.deepEqual(of({ kind: 'execute', rawInput: { command: ['git', 'push'], workdir: '/w' } }), [
    { tool: 'exec', args: { argv: ['git', 'push'], cwd: '/w' } },
  ]);
  // Arguments after the line are its $0 and on: then it is no line alone.
  assert.deepEqual(of({ rawInput: { command: ['sh', '-c', 'echo $0', 'x'] } }), [
    { tool: 'exec', args: { argv: ['sh', '-c', 'echo $0', 'x'] } },
  ]);
});

test('the word of an editor is no command: what it is about are the files', () => {
  const input = { command: 'create', path: '.git/config', file_text: 'x' };
  const write = [{ tool: 'fs_write', args: { path: '/ws/.git/config', content: 'x' } }];
  assert.deepEqual(of({ kind: 'edit', rawInput: input }), write);
  assert.deepEqual(of({ name: 'fs_write', title: 'Creating', rawInput: input }), write);
  assert.deepEqual(
    of({ kind: 'edit', rawInput: { command: 'str_replace', path: 'a', old_str: '1', new_str: '2' } }),
    [{ tool: 'fs_write', args: { path: '/ws/a', old_text: '1', new_text: '2' } }],
  );
  assert.deepEqual(of({ kind: 'read', rawInput: { command: 'view', path: 'a' } }), [
    { tool: 'fs_read', args: { path: '/ws/a' } },
  ]);
  // Without a file, or said to be run, it is the command that it looks like.
  assert.deepEqual(of({ kind: 'edit', rawInput: { command: 'create' } }), bash('create'));
  assert.deepEqual(of({ kind: 'execute', rawInput: { command: 'create', path: 'a' } }), bash('create'));
});

test('what says that it changes files is judged by them also where it has a command line', () => {
  assert.deepEqual(of({ kind: 'edit', rawInput: { command: 'ls', path: '.env' }, paths: ['b'] }), [
    ...bash('ls'),
    { tool: 'fs_write', args: { path: '/ws/.env' } },
    { tool: 'fs_write', args: { path: '/ws/b' } },
  ]);
  assert.deepEqual(of({ kind: 'delete', rawInput: { command: ['rm', 'x'] }, paths: ['x'] }), [
    { tool: 'exec', args: { argv: ['rm', 'x'] } },
    { tool: 'fs_write', args: { path: '/ws/x' } },
  ]);
});

test('a command without input is what its title shows', () => {
  assert.deepEqual(of({ kind: 'execute', title: '`git push`' }), bash('git push'));
  assert.deepEqual(of({ kind: 'execute', title: 'git push' }), bash('git push'));
  assert.deepEqual(of({ kind: 'execute' }), bash(''));
});

test('every file of a call is judged, each once and by its whole path', () => {
  assert.deepEqual(of({ kind: 'read', rawInput: { file_path: 'a' }, paths: ['/ws/a', '/etc/passwd'] }), [
    { tool: 'fs_read', args: { path: '/ws/a' } },
    { tool: 'fs_read', args: { path: '/etc/passwd' } },
  ]);
  assert.deepEqual(of({ kind: 'move', rawInput: { source: 'a', destination: '../b' } }), [
    { tool: 'fs_write', args: { path: '/ws/a' } },
    { tool: 'fs_write', args: { path: '/b' } },
  ]);
  assert.deepEqual(of({ kind: 'edit', rawInput: { changes: { 'x.ts': {}, 'y.ts': {} } } }), [
    { tool: 'fs_write', args: { path: '/ws/x.ts' } },
    { tool: 'fs_write', args: { path: '/ws/y.ts' } },
  ]);
  assert.deepEqual(of({ kind: 'edit', rawInput: { filePath: 'a', old_string: '1', new_string: '2' } }), [
    { tool: 'fs_write', args: { path: '/ws/a', old_text: '1', new_text: '2' } },
  ]);
  assert.deepEqual(
    of({ kind: 'read', rawInput: { operations: [{ mode: 'Line', path: 'a' }, { path: '/b' }, 7] } }),
    [
      { tool: 'fs_read', args: { path: '/ws/a' } },
      { tool: 'fs_read', args: { path: '/b' } },
    ],
  );
  assert.deepEqual(of({ kind: 'delete', paths: ['a'] }), [{ tool: 'fs_write', args: { path: '/ws/a' } }]);
  assert.deepEqual(of({ kind: 'edit' }), [{ tool: 'fs_write', args: {} }]);
});

test('searches, fetches, thoughts and what else there is have our names', () => {
  assert.deepEqual(of({ kind: 'search', rawInput: { pattern: 'x', path: 'src' }, paths: ['/ws/found'] }), [
    { tool: 'search', args: { pattern: 'x', path: 'src' } },
  ]);
  assert.deepEqual(of({ kind: 'search', paths: ['/etc'] }), [
    { tool: 'search', args: { pattern: '', path: '/etc' } },
  ]);
  assert.deepEqual(of({ kind: 'fetch', rawInput: { url: 'https://a.example', prompt: 'p' } }), [
    { tool: 'http_fetch', args: { url: 'https://a.example' } },
  ]);
  assert.deepEqual(of({ kind: 'fetch', rawInput: { query: 'q' } }), [
    { tool: 'http_fetch', args: { query: 'q' } },
  ]);
  assert.deepEqual(of({ kind: 'think', title: 'Plan' }), [{ tool: 'thinking', args: { thought: 'Plan' } }]);
  assert.deepEqual(
    of({ kind: 'think', title: 'Plan', rawInput: { path: '.env' } }),
    [
      { tool: 'thinking', args: { thought: 'Plan' } },
      { tool: 'fs_read', args: { path: '/ws/.env' } },
    ],
    'one about files has read them',
  );
  assert.deepEqual(of({ kind: 'other', name: 'mcp__git__status', title: 'T', rawInput: { a: 1 } }), [
    { tool: '@git/status', args: { a: 1 } },
  ]);
  assert.deepEqual(of({ title: 'Do magic' }), [{ tool: 'Do magic', args: {} }]);
  assert.deepEqual(of({ kind: 'switch_mode', title: 'Leave plan' }), [{ tool: 'Leave plan', args: {} }]);
});

test('a title, which may be words of the model, makes a call none of our tools', () => {
  for (const title of ['thinking', 'fs_read', 'Fs Read', 'th\u200binking', 'todo', 'report_progress'])
    assert.deepEqual(
      of({ kind: 'other', title, rawInput: { path: 'a' } }),
      [{ tool: 'other', args: { path: 'a' } }],
      title,
    );
  assert.deepEqual(of({ title: 'thinking' }), [{ tool: 'other', args: {} }]);
  assert.deepEqual(of({ kind: 'other', name: 'todo_list', title: 'x' }), [{ tool: 'todo_list', args: {} }]);
});
