import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ensureWorkflowError, WorkflowError } from '../../src/errors/workflow-error.ts';
import { type CodeRequest, runCode } from '../../src/skills/run-code.ts';
import type { Skill } from '../../src/skills/skill.ts';
import { codeRequest, ListSink, nodeSkill, skillOf } from './make.ts';

const folder = mkdtempSync(join(tmpdir(), 'q-run-code-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function resultOf(skill: Skill, more: Partial<CodeRequest> = {}) {
  const done = await runCode(codeRequest(skill, more));
  assert.equal(done.kind, 'completed');
  return done.kind === 'completed' ? done.result : {};
}

async function errorOf(skill: Skill, more: Partial<CodeRequest> = {}): Promise<WorkflowError> {
  const error = await runCode(codeRequest(skill, more)).then(
    () => assert.fail('it should have failed'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof WorkflowError)) throw error;
  return error;
}

function script(name: string, text: string, mode = 0o755): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

describe('the result', () => {
  test('a JSON object on stdout gives its fields, and ours never shadow them', async () => {
    const result = await resultOf(nodeSkill('console.log(JSON.stringify({data: 7, exit_code: "mine"}))'));
    assert.equal(result.data, 7);
    assert.equal(result.exit_code, 'mine');
    assert.equal(result.stdout, undefined);
    assert.equal(typeof result.duration_ms, 'number');
  });

  test('other output is stdout without its last line end, and the one declared output', async () => {
    const result = await resultOf(nodeSkill('console.log("a\\n"); console.error("e")'), {
      outputs: ['text'],
    });
    assert.equal(result.stdout, 'a\n');
    assert.equal(result.text, 'a\n');
    assert.equal(result.stderr, 'e\n');
    assert.equal(result.exit_code, 0);
  });

  test('bytes that are no UTF-8 become replacement characters', async () => {
    const result = await resultOf(nodeSkill('process.stdout.write(Buffer.from([0x61, 0xff, 0xfe, 0x62]))'));
    assert.equal(result.stdout, 'a\u{fffd}\u{fffd}b');
  });

  test('200 MB of output stay within bounded memory and reach the sink whole', async () => {
    let bytes = 0;
    const before = process.memoryUsage().rss;
    let peak = before;
    const watch = {
      write: (_stream: string, chunk: Buffer) => {
        peak = Math.max(peak, process.memoryUsage.rss());
        bytes += chunk.length;
      },
    };
    const skill = skillOf({ command: 'head', args: ['-c', '200000000', '/dev/zero'] });
    const result = await resultOf(skill, { output: watch });
    assert.equal(bytes, 200_000_000);
    assert.equal(result.stdout_truncated, true);
    assert.equal(result.stdout_bytes, 200_000_000);
    assert.equal(typeof result.stdout === 'string' ? result.stdout.length : 0, 1024 * 1024);
    // V8 lets 64 MiB of pipe buffers gather before it collects; a gigabyte costs no more (72 MiB measured).
    assert.ok(peak - before < 96 * 1024 * 1024, `grew by ${peak - before} bytes`);
  });

  test('a slow sink holds the child up and loses nothing', async () => {
    let open = 0;
    let bytes = 0;
    const output = {
      write: async (_stream: string, chunk: Buffer) => {
        assert.equal(open++, 0);
        await new Promise((resolve) => setImmediate(resolve));
        bytes += chunk.length;
        open--;
      },
    };
    await resultOf(skillOf({ command: 'head', args: ['-c', '3000000', '/dev/zero'] }), { output });
    assert.equal(bytes, 3_000_000);
  });

  test('a sink that fails ends the step with its error', async () => {
    const output = {
      write: () => {
        throw new Error('disk is gone');
      },
    };
    const error = await errorOf(nodeSkill('console.log(1); setInterval(() => {}, 1000)'), { output });
    assert.equal(error.code, 'INTERNAL');
    assert.match(error.message, /disk is gone/);
  });
});

describe('what the command is given', () => {
  const hostile = {
    a: '; rm -rf /',
    b: '$(id) `id`',
    c: '{a} {{a}}',
    d: 'two\nlines "q" \'s\'',
    'x-y': { k: [1] },
  };

  test('values are argv elements, variables and one JSON object on stdin, each untouched', async () => {
    const code = `const fs = require('fs'); console.log(JSON.stringify({argv: process.argv.slice(1), env: process.env,
      stdin: JSON.parse(fs.readFileSync(0, 'utf8'))}))`;
    const skill = skillOf({
      command: process.execPath,
      args: ['-e', code, '--', '{a}', 'b={b}', '{c}', '{d}{{a}}', '{x-y}', '{nobody}', `$\{a}`],
      environment: { OWN: 'yes' },
    });
    const result = await resultOf(skill, { values: hostile });
    assert.deepEqual(result.argv, [
      hostile.a,
      `b=${hostile.b}`,
      hostile.c,
      `${hostile.d}${hostile.a}`,
      '{"k":[1]}',
      '{nobody}',
      `$\{a}`,
    ]);
    assert.deepEqual(result.stdin, hostile);
    assert.deepEqual(result.env, {
      PATH: process.env.PATH,
      OWN: 'yes',
      Q_WORKFLOW_SCOPE: 'fake',
      SKILL_PARAM_a: hostile.a,
      SKILL_PARAM_b: hostile.b,
      SKILL_PARAM_c: hostile.c,
      SKILL_PARAM_d: hostile.d,
      SKILL_PARAM_x_y: '{"k":[1]}',
      Q_WORKFLOW_IDEMPOTENCY_KEY: 'key-1',
      Q_WORKFLOW_INSTANCE: 'instance-1',
      Q_WORKFLOW_STEP: 'group/probe',
      Q_WORKFLOW_ATTEMPT: '2',
    });
  });

  test('a variable has any name and value, also one that no shell can carry', async () => {
    const environment = {
      'with-dash': 'a',
      'dot.ted': "it's\n",
      IFS: 'x',
      OPTIND: 'no number',
      'BASH_FUNC_f%%': '() { :; }',
    };
    const skill = nodeSkill('console.log(JSON.stringify({env: process.env}))', { environment });
    const { env } = await resultOf(skill);
    assert.deepEqual(env, { ...(env as object), ...environment });
  });

  test("a place in the script of a shell's own -c is read from its variable and never runs", async () => {
    const skill = skillOf({ command: 'sh', args: ['-c', 'echo "got {a}{b}"; echo "$1"', 'sh', '{b}'] });
    const result = await resultOf(skill, { values: { a: '"; echo owned; "', b: '$(echo owned)' } });
    assert.equal(result.stdout, 'got "; echo owned; "$(echo owned)\n$(echo owned)');
  });

  test('1 MB of parameters goes to stdin, and a child that never reads it does no harm', async () => {
    const skill = nodeSkill('console.log(process.env.SKILL_PARAMS_ON_STDIN)');
    assert.equal((await resultOf(skill, { values: { big: 'x'.repeat(1_000_000) } })).stdout, 'big');
    const early = nodeSkill('require("fs").closeSync(0); console.log("ok")');
    assert.equal((await resultOf(early, { values: { big: 'x'.repeat(1_000_000) } })).stdout, 'ok');
  });

  test('a secret reaches variable and stdin, is masked in all output, and is refused in argv', async () => {
    const secrets = { TOKEN: 'hush-"42"' };
    const values = { token: { $secret: 'TOKEN' } };
    const sink = new ListSink();
    const code = `const t = process.env.SKILL_PARAM_token; console.log(JSON.stringify({len: t.length, t}));
      process.stderr.write(t.slice(0, 4)); setTimeout(() => process.stderr.write(t.slice(4)), 20)`;
    const result = await resultOf(nodeSkill(code), { values, secrets, output: sink });
    assert.equal(result.len, 9);
    assert.equal(result.t, '***');
    assert.equal(sink.text('stderr'), '***');
    assert.doesNotMatch(sink.text('stdout'), /hush/);
    const error = await errorOf(skillOf({ command: 'echo', args: ['{token}'] }), { values, secrets });
    assert.equal(error.code, 'PARAMETER_INVALID');
    assert.match(error.message, /"token" is a secret: argv is public/);
  });
});

describe('failures', () => {
  test('a non-zero exit says the code and the end of stderr', async () => {
    const error = await errorOf(
      nodeSkill('console.error("x".repeat(5000) + "\\nno such host"); process.exit(3)'),
    );
    assert.equal(error.code, 'EXIT_NONZERO');
    assert.equal(error.message, 'skill "probe": the command ended with exit code 3: no such host');
    assert.equal(error.details?.exit_code, 3);
    assert.equal(String(error.details?.stderr).length, 2048);
  });

  test('a signal, and the abort of the Node heap, are told apart', async () => {
    const killed = await errorOf(nodeSkill('process.kill(process.pid, "SIGKILL")'));
    assert.equal(killed.code, 'SIGNALLED');
    const code = 'console.error("FATAL ERROR: JavaScript heap out of memory"); process.abort()';
    const heap = await errorOf(nodeSkill(code));
    assert.equal(heap.code, 'SIGNALLED');
    assert.match(heap.message, /SIGABRT; Node.js ran out of its own heap/);
  });

  test('a rise of the kernel count of OOM kills is STEP_OOM with numbers', async () => {
    const messageAt = async (peakMb: number): Promise<string> => {
      const request = codeRequest(nodeSkill('process.kill(process.pid, "SIGKILL")'), {
        memoryLimitBytes: 64 << 20,
      });
      const before = request.scope.usageNow;
      let asked = 0;
      request.scope.usage = () =>
        asked++ === 0 ? before : { ...before, oomKills: 1, memoryPeakBytes: peakMb << 20 };
      const error = await runCode(request).then(
        () => assert.fail('it should have failed'),
        ensureWorkflowError,
      );
      assert.equal(error.code, 'STEP_OOM');
      return error.message;
    };
    assert.equal(await messageAt(63), 'skill "probe": was killed for memory: peak 63 MB of 64 MB');
    assert.equal(
      await messageAt(20),
      'skill "probe": was killed for memory: peak 20 MB of 64 MB, the rest was taken by other steps of the run',
    );
  });

  test('an observed breach of memory kills the step', async () => {
    const request = codeRequest(nodeSkill('console.log(1); setInterval(() => {}, 1000)'));
    const output = { write: () => request.scope.breached({ limit: 'memory', allowed: 10, seen: 12 }) };
    await assert.rejects(runCode({ ...request, output }), { code: 'STEP_OOM' });
  });

  test('a command that cannot be started says which and why', async () => {
    const cases: [Skill, RegExp][] = [
      [
        skillOf({ command: 'no-such-command-here' }),
        /the command "no-such-command-here" was not found in PATH/,
      ],
      [skillOf({ command: `${folder}/gone` }), /gone was not found/],
      [skillOf({ command: folder }), /is a folder/],
      [skillOf({ command: script('plain', '#!/bin/sh\n', 0o644) }), /plain is not executable/],
      [skillOf({ command: script('bare', 'echo hi\n') }), /bare is a script without a #! line/],
      [
        skillOf({ command: script('lost', '#!/no/such/python\n') }),
        /names the interpreter \/no\/such\/python, which was not found/,
      ],
      [
        skillOf({ command: 'true', working_dir: 'not/here' }),
        /its working folder \/tmp\/not\/here does not exist/,
      ],
    ];
    for (const [skill, message] of cases) {
      const error = await errorOf(skill);
      assert.equal(error.code, 'SPAWN_FAILED');
      assert.match(error.message, message);
    }
  });
});

describe('ends', () => {
  test('a child that ignores SIGTERM is killed at its timeout', async () => {
    const request = codeRequest(nodeSkill('process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'), {
      timeoutMs: 300,
    });
    await assert.rejects(runCode(request), {
      code: 'STEP_TIMEOUT',
      message: 'skill "probe": ran longer than the timeout of the step (0.3 s) and was killed',
    });
    assert.deepEqual(request.scope.pids(), []);
    assert.equal(request.scope.groups.length, 1);
  });

  test("the skill's own timeout counts when it is shorter", async () => {
    const error = await errorOf(nodeSkill('setInterval(() => {}, 1000)', { timeout: 0.2 }));
    assert.match(error.message, /timeout of the skill \(0\.2 s\)/);
  });

  test('an abort kills the group and resolves as cancelled', async () => {
    const abort = new AbortController();
    const output = { write: () => abort.abort() };
    const request = codeRequest(nodeSkill('console.log("up"); setInterval(() => {}, 1000)'), {
      signal: abort.signal,
      output,
    });
    assert.deepEqual(await runCode(request), { kind: 'cancelled', survivors: [] });
    assert.deepEqual(request.scope.pids(), []);
  });

  test('a daemon that holds stdout is killed and counted, and the step does not wait for it', async () => {
    const request = codeRequest(skillOf({ command: 'sh', args: ['-c', 'sleep 60 & echo done'] }));
    const startedAt = performance.now();
    const done = await runCode(request);
    assert.ok(performance.now() - startedAt < 5000);
    assert.equal(done.kind === 'completed' ? done.result.left_behind : null, 1);
    assert.equal(done.kind === 'completed' ? done.result.stdout : null, 'done');
    assert.deepEqual(request.scope.pids(), []);
  });

  test('a daemon that escapes the scope cannot hold the step by its pipe', async () => {
    const code = `const c = require('child_process').spawn('sleep', ['60'], {detached: true, stdio: ['ignore', 1, 2]});
      c.unref(); console.log(JSON.stringify({pid: c.pid}))`;
    const result = await resultOf(nodeSkill(code));
    const pid = Number(result.pid);
    assert.equal(process.kill(pid, 0), true);
    process.kill(pid, 'SIGKILL');
  });

  test('a child that closes its stdout early goes on to its end', async () => {
    const result = await resultOf(
      skillOf({ command: 'sh', args: ['-c', 'echo a; exec 1>&-; sleep 0.2; echo b >&2'] }),
    );
    assert.equal(result.stdout, 'a');
    assert.equal(result.stderr, 'b\n');
  });
});
