import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { JsonObject } from '../../src/definition/workflow.ts';
import { normaliseSkill } from '../../src/skills/normalise.ts';

const folder = mkdtempSync(join(tmpdir(), 'q-normalise-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function read(content: JsonObject | string, file = '/skills/file-name.json') {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  const { skill, notes } = normaliseSkill(Buffer.from(text), file, folder);
  return { skill, said: notes.map((note) => `${note.severity} ${note.path} ${note.message}`) };
}

describe('shape A', () => {
  test('a full file is read without a note', () => {
    const { skill, said } = read({
      $schema: 'x',
      name: 'fetch',
      type: 'code_session',
      description: 'Fetches',
      version: '1.2.3',
      aliases: ['get'],
      command: 'python3',
      args: ['fetch.py', '--all'],
      timeout: 1.5,
      parameters: [{ name: 'url', type: 'string', required: true, pattern: '^https:' }],
      session_config: { session_timeout: 60, max_sessions: 3, cleanup_on_exit: true },
      security: {
        permissions: { file_read: ['a'], file_write: [], network_access: true },
        resource_limits: { max_memory_mb: 64, max_cpu_percent: 50, max_execution_time: 10 },
      },
      working_dir: 'sub',
      environment: { A: 'b' },
      context_files: ['*.md'],
      model: 'm',
    });
    assert.deepEqual(said, [
      'warning $.context_files is not used here: name the files in the prompt or in an input',
    ]);
    assert.deepEqual(
      [skill.shape, skill.name, skill.type, skill.timeoutMs],
      ['A', 'fetch', 'code_session', 1500],
    );
    assert.deepEqual(skill.args, ['fetch.py', '--all']);
    assert.deepEqual(skill.session, { ttlMs: 60_000, maxSessions: 3, isCleanedUpOnExit: true });
    assert.deepEqual(skill.limits, {
      maxMemoryBytes: 64 << 20,
      maxCpuPercent: 50,
      maxExecutionTimeMs: 10_000,
    });
    assert.deepEqual(skill.permissions, { fileRead: ['a'], fileWrite: [], networkAccess: true });
    assert.equal(skill.parameters[0]?.isRequired, true);
    assert.match(skill.hash, /^[0-9a-f]{64}$/);
  });

  test('of a pattern in permissions the folder before its wildcard counts, and a path that leads out is none', () => {
    const permissions = {
      file_read: ['src/**/*.ts', '*.md', 'docs/a?.md', 'plain/file.txt'],
      file_write: ['../other', '~/notes', 'a/../../b', 'out/'],
    };
    const { skill, said } = read({ name: 'a', type: 'code_inline', command: 'x', security: { permissions } });
    assert.deepEqual(skill.permissions, {
      fileRead: ['src/', './', 'docs/', 'plain/file.txt'],
      fileWrite: ['out/'],
      networkAccess: false,
    });
    const readAt = '$.security.permissions.file_read';
    const writeAt = '$.security.permissions.file_write';
    assert.deepEqual(said, [
      `rewritten ${readAt}[0] "src/**/*.ts" is read as "src/": patterns are not matched`,
      `rewritten ${readAt}[1] "*.md" is read as "./": patterns are not matched`,
      `rewritten ${readAt}[2] "docs/a?.md" is read as "docs/": patterns are not matched`,
      `warning ${writeAt}[0] "../other" leads out of the workspace and counts as nothing`,
      `warning ${writeAt}[1] "~/notes" leads out of the workspace and counts as nothing`,
      `warning ${writeAt}[2] "a/../../b" leads out of the workspace and counts as nothing`,
    ]);
  });

  test('permissions that are not named narrow nothing', () => {
    const { skill } = read({
      name: 'a',
      type: 'code_inline',
      command: 'x',
      security: { permissions: { network_access: true } },
    });
    assert.deepEqual(skill.permissions, { fileRead: null, fileWrite: null, networkAccess: true });
  });

  test('a command with blanks and no args is split, quotes understood and nothing expanded', () => {
    const { skill, said } = read({ name: 'a', type: 'command', command: `echo 'a b' "c \\"d\\"" $HOME *` });
    assert.equal(skill.command, 'echo');
    assert.deepEqual(skill.args, ['a b', 'c "d"', '$HOME', '*']);
    assert.deepEqual(said, [
      'rewritten $.type type "command" is read as "code_inline"',
      `rewritten $.command was split into argv ["echo","a b","c \\"d\\"","$HOME","*"]; no shell is used`,
    ]);
    assert.deepEqual(
      read({ name: 'a', type: 'code_inline', command: '/my dir/x', args: [] }).skill.command,
      '/my dir/x',
    );
    assert.deepEqual(read({ name: 'a', type: 'code_inline', command: `x 'y` }).said, [
      `error $.command has an open quote '`,
    ]);
    assert.match(
      read({ name: 'a', type: 'code_inline', command: 'a | b' }).said[1] ?? '',
      /^warning .*shell operators/,
    );
  });

  test('bytes that are no UTF-8 make it unusable, and a key given twice is told', () => {
    const bytes = Buffer.concat([Buffer.from('{"name": "'), Buffer.from([0xff]), Buffer.from('"}')]);
    const { skill, notes } = normaliseSkill(bytes, '/w/.q-skills/a.json', '/w');
    assert.equal(notes[0]?.message, 'the file is not UTF-8: byte 0xff at offset 10 (line 1)');
    assert.notEqual(skill.problems.length, 0);
    const twice = read('{"name": "a", "type": "code_inline", "command": "x", "command": "y"}');
    assert.deepEqual(
      [twice.skill.command, twice.said],
      ['y', ['warning $.command the key "command" is given twice']],
    );
  });

  test('what is wrong makes it unusable and never throws', () => {
    const cases: [JsonObject | string, string][] = [
      ['{', 'error $ is no valid JSON: '],
      ['[]', 'error $ must be a JSON object'],
      ['', 'error $ is empty'],
      [{ type: 'code_inline', command: 'x' }, 'error $.name is missing'],
      [{ name: 'a b', type: 'code_inline', command: 'x' }, 'error $.name "a b" may hold'],
      [{ name: 'a', type: 'magic' }, 'error $.type "magic" is no skill type'],
      [{ name: 'a' }, 'error $.type is missing'],
      [{ name: 'a', type: 'prompt_inline', prompt: 'x', prompt_template: 'y' }, 'error $ both prompt and'],
      [{ name: 'a', type: 'prompt_inline' }, 'error $.prompt_template is missing'],
      [{ name: 'a', type: 'code_inline' }, 'error $.command is missing'],
      [{ name: 'a', type: 'code_inline', command: '{x}' }, 'error $.command the command itself may not be'],
      [
        { name: 'a', type: 'code_inline', command: 'x', timeout: '3' },
        'error $.timeout must be a number above 0, not the string "3"',
      ],
    ];
    for (const [content, expected] of cases) {
      const { skill, said } = read(content);
      assert.equal(
        said.some((line) => line.startsWith(expected)),
        true,
        `${expected} in ${said.join(' | ')}`,
      );
      assert.ok(skill.problems.length > 0);
    }
    assert.equal(read('{').skill.name, 'file-name');
  });

  test('an unknown key is a warning with the nearest spelling', () => {
    const { skill, said } = read({
      name: 'a',
      type: 'code_inline',
      command: 'x',
      timeot: 3,
      security: { levle: 1 },
    });
    assert.deepEqual(said, [
      'warning $.security.levle unknown key "levle" is ignored; did you mean "level"?',
      'warning $.timeot unknown key "timeot" is ignored; did you mean "timeout"?',
    ]);
    assert.deepEqual(skill.problems, []);
  });

  test('a pattern that needs more than linear time is an error', () => {
    const parameters = [{ name: 'p', type: 'string', pattern: '(?=a)b' }];
    assert.match(
      read({ name: 'a', type: 'code_inline', command: 'x', parameters }).said[0] ?? '',
      /"\(\?=" .*linear time/,
    );
  });
});

test('shape B: skill_type, the prompt in command, labels and a limit without unit', () => {
  const { skill, said } = read({
    name: 'b',
    skill_type: 'prompt_inline',
    command: 'Say {x}',
    security: { level: 'high', resource_limit: 5 },
  });
  assert.deepEqual(
    [skill.shape, skill.type, skill.promptTemplate, skill.command],
    ['B', 'prompt_inline', 'Say {x}', null],
  );
  assert.deepEqual(
    said.map((line) => line.split(' ').slice(0, 2).join(' ')),
    [
      'rewritten $.skill_type',
      'warning $.security.level',
      'warning $.security.resource_limit',
      'rewritten $.command',
    ],
  );
});

test('shape C: a command with doubled braces', () => {
  const { skill } = read({
    name: 'c',
    implementation: { type: 'command', command: 'echo {{ x }} "{{y}} z"' },
  });
  assert.deepEqual([skill.shape, skill.type, skill.command], ['C', 'code_inline', 'echo']);
  assert.deepEqual(skill.args, ['{x}', '{y} z']);
});

test('shape C: a script beside the skill file, else in the workspace, else by its interpreter', () => {
  const skills = join(folder, 'skills');
  mkdirSync(skills);
  const file = join(skills, 'c.json');
  for (const [path, mode] of [
    [join(skills, 'run.sh'), 0o755],
    [join(folder, 'run.sh'), 0o755],
    [join(folder, 'own.sh'), 0o755],
    [join(folder, 'p.py'), 0o644],
  ] as const) {
    writeFileSync(path, '#!/bin/sh\n');
    chmodSync(path, mode);
  }
  const script = (path: string) =>
    read({ name: 'c', implementation: { type: 'script', path, args: ['{{x}}'] } }, file).skill;
  assert.equal(script('run.sh').command, join(skills, 'run.sh'));
  assert.equal(script('own.sh').command, join(folder, 'own.sh'));
  assert.deepEqual(script('own.sh').args, ['{x}']);
  const python = script('p.py');
  assert.deepEqual(
    [python.command, python.literalArgs, python.args],
    ['python3', [join(folder, 'p.py')], ['{x}']],
  );
});

describe('shape D', () => {
  const whole = (executor: JsonObject, more: JsonObject = {}) =>
    read({
      metadata: { name: 'd', description: 'D', aliases: ['e'], version: '1.0.0' },
      skill_type: 'code_inline',
      executor,
      ...more,
    });

  test('inline code is one argument of its interpreter and never a template', () => {
    const parameters = { x: { type: 'string', required: true } };
    const { skill, said } = whole(
      { type: 'inline', language: 'bash', code: 'echo {x}', args: ['{{x}}'], timeout: 1500 },
      { parameters },
    );
    assert.deepEqual([skill.shape, skill.name, skill.aliases, skill.version], ['D', 'd', ['e'], '1.0.0']);
    assert.deepEqual(
      [skill.command, skill.literalArgs, skill.args],
      ['bash', ['-c', 'echo {x}', 'bash'], ['{x}']],
    );
    assert.equal(skill.timeoutMs, 1500);
    assert.equal(skill.parameters[0]?.isRequired, true);
    assert.ok(said.includes('rewritten $.executor.timeout 1500 ms is read as 1.5 s'));
    assert.ok(said.includes('warning $.executor.code {x} is not filled in code; read SKILL_PARAM_x'));
    const node = whole({ type: 'inline', language: 'JavaScript', code: '1' }).skill;
    assert.deepEqual([node.command, node.literalArgs], ['node', ['-e', '1', '--']]);
  });

  test('command, environment and folder are taken over', () => {
    const { skill } = whole({
      type: 'command',
      command: 'ls',
      args: ['-l', '{{p}}'],
      working_directory: 'w',
      env: { A: 1 },
    });
    assert.deepEqual(
      [skill.command, skill.args, skill.workingDir, skill.environment],
      ['ls', ['-l', '{p}'], 'w', { A: '1' }],
    );
  });

  test('mcp and delegate say that they are not supported', () => {
    for (const type of ['mcp', 'delegate']) {
      const { skill } = whole({ type });
      assert.equal(skill.problems[0]?.message, `executor type "${type}" is not supported until agents are`);
    }
  });

  test('prompts come from their blocks, session times are milliseconds', () => {
    const { skill } = read({
      metadata: { name: 'd' },
      skill_type: 'conversation',
      conversation: { system_prompt: 'Hi {{x}}' },
      session: { timeout: 2000 },
    });
    assert.deepEqual(
      [skill.type, skill.promptTemplate, skill.session.ttlMs],
      ['conversation', 'Hi {x}', 2000],
    );
  });
});
