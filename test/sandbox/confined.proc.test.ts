import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chooseIsolation } from '../../sandbox/choose.ts';
import { closeInherited } from '../../sandbox/inherited.ts';
import type { StepSandbox, StepView } from '../../sandbox/launcher/launch.ts';
import { barePlan } from '../../sandbox/shim.ts';
import { runCode } from '../../src/skills/run-code.ts';
import { FakeScope } from '../skills/fake-scope.ts';
import { codeRequest, skillOf } from '../skills/make.ts';
import { type Done, runConfined, type Task } from './escape/confined.ts';
import { lacksSandbox, openStage, SOMEBODY, type Stage } from './escape/stage.ts';
import { until } from './harness.ts';

const skip = await lacksSandbox();

// A skipped suite counts nothing: one test says why.
if (skip !== false) test('a step in its sandbox', { skip }, () => undefined);
else
  describe('a step in its sandbox', { timeout: 300_000 }, () => {
    let stage: Stage;
    before(async () => {
      stage = await openStage(null);
    });
    after(() => stage.close());

    const run = (view: Partial<StepView>, script: string, more: Partial<Task> = {}): Promise<Done> =>
      runConfined({
        ground: stage.ground,
        env: stage.env,
        view: { tier: 'skill', workspace: stage.workspace, ...view },
        argv: ['/bin/sh', '-c', script],
        ...more,
      });
    const sandbox = (tier: StepView['tier'] = 'skill'): StepSandbox => ({
      ground: stage.ground,
      view: {
        tier,
        network: 'host',
        workspace: stage.workspace,
        scratch: null,
        read: null,
        write: null,
        files: [],
      },
    });

    test('it has descriptors 0, 1 and 2, also where we were started with more', async () => {
      closeInherited();
      // ls itself holds the folder that it lists, as 3. The init has an eventfd for the exit code.
      const script = 'ls /proc/self/fd; readlink /proc/1/fd/* | grep -v pipe: | grep -v socket: | sort -u';
      for (const tier of ['skill', 'agent', 'untrusted'] as const) {
        const { stdout, stderr } = await run({ tier, write: ['out'] }, script);
        assert.equal(stdout, '0\n1\n2\n3\nanon_inode:[eventfd]\n', stderr);
      }
    });

    test('it has no capability, no new privileges and the filter', async () => {
      for (const tier of ['skill', 'agent', 'untrusted'] as const) {
        const { stdout } = await run(
          { tier },
          'grep -E "^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs|Seccomp):" /proc/self/status',
        );
        assert.deepEqual(
          stdout.match(/\t\S+/g),
          [
            '\t0000000000000000',
            '\t0000000000000000',
            '\t0000000000000000',
            '\t0000000000000000',
            '\t1',
            '\t2',
          ].toSorted((a, b) => b.length - a.length),
        );
      }
      const { stdout } = await run(
        { tier: 'trusted' },
        'grep -E "^(CapEff|CapPrm|NoNewPrivs):" /proc/self/status',
      );
      assert.equal(stdout, 'CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n');
    });

    test('it has its limits of open files and core', async () => {
      for (const tier of ['trusted', 'skill'] as const)
        assert.equal((await run({ tier }, 'ulimit -Hn; ulimit -Sn; ulimit -c')).stdout, '1024\n1024\n0\n');
    });

    test('the usual programs run: Node, Python, git, a compiler, pipelines', async () => {
      const programs: Readonly<Record<string, string>> = {
        node: `"$NODE" -e 'const {execFileSync}=require("child_process"); console.log(execFileSync("echo",["node"]).toString().trim()); new (require("worker_threads").Worker)("",{eval:true})'`,
        python3: `/usr/bin/python3 -c 'import subprocess, multiprocessing as m; print(m.Pool(2).map(abs, [-1]) and subprocess.check_output(["echo", "python3"], text=True).strip())'`,
        git: 'git init -q g && git -C g -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && git -C g log --format=tformat:git',
        gcc: `echo 'int main(){return puts("gcc") < 0;}' > /tmp/a.c && gcc -w -o /tmp/a /tmp/a.c && /tmp/a`,
        sh: 'printf "b\\na\\nsh\\n" | sort | tail -n 1',
      };
      for (const [name, script] of Object.entries(programs)) {
        const { stdout, stderr } = await run(
          {},
          `command -v ${name} >/dev/null || test ${name} = node || { echo ${name}; exit; }; ${script}`,
        );
        assert.equal(stdout.trim(), name, stderr);
      }
    });

    test('LD_PRELOAD of a step is loaded by nothing before its command', async () => {
      for (const tier of ['trusted', 'skill'] as const) {
        const env = { ...stage.env, LD_PRELOAD: '/nowhere/evil.so' };
        const { stderr } = await run({ tier }, ':', { env });
        // The loader complains once for each program that is told to load it.
        assert.equal(stderr.match(/cannot be preloaded/g)?.length, 1, stderr);
      }
    });

    test('its environment and options are in no /proc entry but its own', async () => {
      const env = { ...stage.env, STEP_SECRET: 'hidden-from-all' };
      for (const tier of ['trusted', 'skill'] as const) {
        const done = run({ tier }, 'touch up; while [ ! -e seen ]; do sleep 0.02; done; rm up seen', { env });
        await until('the step runs', () => existsSync(join(stage.workspace, 'up')));
        const holders = readdirSync('/proc')
          .filter((name) => /^\d+$/.test(name))
          .filter((pid) =>
            /STEP_SECRET|hidden-from-all|--setenv/.test(
              textOf(`/proc/${pid}/environ`) + textOf(`/proc/${pid}/cmdline`),
            ),
          )
          .map((pid) => textOf(`/proc/${pid}/comm`).trim())
          .filter((name) => name !== 'sleep' && name !== '');
        writeFileSync(join(stage.workspace, 'seen'), '');
        assert.equal((await done).code, 0);
        assert.deepEqual([...new Set(holders)], ['sh'], tier);
      }
    });

    test('a network that is none has no way to a port of the host, one that is the host’s has', async () => {
      const connect = `"$NODE" -e 'require("net").connect(+process.env.PORT,"127.0.0.1").on("connect",()=>process.exit(0)).on("error",()=>process.exit(1))'`;
      assert.equal((await run({ network: 'host' }, connect)).code, 0);
      for (const network of ['none', 'proxy'] as const)
        assert.equal((await run({ network }, connect)).code, 1);
    });

    test('file_write and file_read of a skill hold', async () => {
      mkdirSync(join(stage.workspace, 'src'));
      writeFileSync(join(stage.workspace, 'src/a'), 'a');
      const write = await run(
        { write: ['made'] },
        'cat src/a; echo x > made/x && echo wrote; echo x > src/b; echo x > new',
      );
      assert.equal(write.stdout, 'awrote\n');
      assert.equal(write.stderr.match(/Read-only file system/g)?.length, 2, write.stderr);
      assert.equal(readFileSync(join(stage.workspace, 'made/x'), 'utf8'), 'x\n');
      const read = await run({ read: ['src'], write: [] }, 'ls; cat src/a; echo x > src/b; echo x > new');
      assert.equal(read.stdout, 'src\na');
      assert.equal(read.stderr.match(/Read-only file system/g)?.length, 2, read.stderr);
    });

    test('a folder that turns into a link while it is being shown leads nowhere', {
      timeout: 120_000,
    }, async () => {
      const [out, aside] = ['out', 'aside'].map((name) => join(stage.workspace, name)) as [string, string];
      mkdirSync(out, { recursive: true });
      symlinkSync(stage.outside, aside);
      // Another step that swaps the folder and the link as fast as it can.
      const swapper = spawn(process.execPath, ['-e', SWAP, out, aside, join(stage.workspace, 'spare')], {
        stdio: 'ignore',
      });
      try {
        for (let round = 0; round < 15; round += 1) await run({ write: ['out'] }, 'echo x > out/planted');
      } finally {
        const gone = new Promise((resolve) => swapper.once('exit', resolve));
        swapper.kill('SIGKILL');
        await gone;
      }
      assert.deepEqual(readdirSync(stage.outside), ['file']);
    });

    test('no link in the workspace makes a tool of what lies outside, and no name what a home keeps private', async () => {
      const [planted, keys] = [join(stage.workspace, 'planted'), join(stage.env['HOME'] ?? '', '.ssh')];
      symlinkSync(stage.outside, planted);
      const key = join(keys, 'id_ed25519');
      assert.equal(existsSync(key) && existsSync(join(planted, 'file')), true);
      const files = [key, join(planted, 'file')];
      const env = { ...stage.env, PATH: `${stage.env['PATH']}:${planted}:${keys}` };
      for (const tier of ['skill', 'agent', 'untrusted'] as const) {
        const { stdout, stderr } = await run({ tier, files }, `cat ${files.join(' ')}`, { env });
        assert.equal(stdout, '', tier);
        assert.equal(stderr.match(/No such file/g)?.length, 2, stderr);
      }
    });

    test('a state folder in the workspace stays empty, also when what is above it is moved', async () => {
      const inner = join(stage.workspace, 'a/state');
      mkdirSync(inner, { recursive: true });
      writeFileSync(join(inner, 'db'), 'secret');
      const ground = { ...stage.ground, hidden: [inner] };
      const script =
        'ls -A a/state; mv a b 2>&1; ls -A a/state; echo x > a/state/new; echo y > a/beside && cat a/beside';
      const { stdout, stderr } = await run({}, script, { ground });
      assert.match(stdout, /^mv: cannot move 'a' to 'b': Device or resource busy\ny\n$/);
      assert.match(stderr, /a\/state\/new: Read-only file system/);
      assert.equal(readFileSync(join(inner, 'db'), 'utf8'), 'secret');
    });

    test('the home, /tmp, /run and /dev/shm are its own: writable, and gone afterwards', async () => {
      const script =
        'for d in $HOME /tmp /var/tmp /run /dev/shm; do test ! -e $d/q-mark && echo x > $d/q-mark && echo own; done';
      for (let round = 0; round < 2; round += 1)
        assert.equal((await run({}, script)).stdout, 'own\n'.repeat(5));
    });

    test('a command that is not in view is SPAWN_FAILED, not an exit of its own', async () => {
      const script = join(stage.outside, 'tool');
      writeFileSync(script, '#!/bin/sh\n', { mode: 0o755 });
      const request = codeRequest(skillOf({ command: script }), {
        sandbox: sandbox(),
        workspace: stage.workspace,
      });
      await assert.rejects(runCode(request), {
        code: 'SPAWN_FAILED',
        message: `skill "probe": the command ${script} is not in view of the sandbox`,
      });
      renameSync(script, join(stage.workspace, 'tool'));
    });

    test('a sandbox that cannot be made is SANDBOX_FAILED with the layer, never the command’s exit', async () => {
      const request = (ground: StepSandbox['ground']) =>
        codeRequest(skillOf({ command: 'true' }), {
          sandbox: { ...sandbox(), ground },
          workspace: stage.workspace,
        });
      const gone = {
        kind: 'show',
        source: { path: '/nowhere' },
        target: '/usr/nowhere',
        access: 'read',
      } as const;
      await assert.rejects(runCode(request({ ...stage.ground, system: { mounts: [gone], folders: [] } })), {
        code: 'SANDBOX_FAILED',
        message:
          'skill "probe": the sandbox could not be made (bubblewrap): Can\'t find source path /nowhere: No such file or directory',
      });
      const missing = { ...stage.ground, bubblewrap: { path: '/nowhere/bwrap', takesDescriptors: false } };
      await assert.rejects(runCode({ ...request(missing), scope: shimmedScope() }), {
        code: 'SANDBOX_FAILED',
        message: /^skill "probe": the sandbox could not be made \(bubblewrap\): .*\/nowhere\/bwrap: /,
      });
      const user = { ...SOMEBODY, name: 'somebody' };
      for (const tier of ['skill', 'trusted'] as const)
        await assert.rejects(
          runCode({
            ...request(stage.ground),
            sandbox: { ...sandbox(tier), ground: { ...stage.ground, user } },
          }),
          {
            code: 'SANDBOX_FAILED',
            message: /^skill "probe": the sandbox could not be made \(setpriv\): /,
          },
        );
    });

    test('signals, exit codes and an exit that looks like one keep their errors', async () => {
      const errorOf = async (script: string): Promise<{ code: string; details: Record<string, unknown> }> => {
        const request = codeRequest(skillOf({ command: 'sh', args: ['-c', script] }), {
          sandbox: sandbox(),
          workspace: stage.workspace,
        });
        return await runCode(request).then(
          () => assert.fail('it should have failed'),
          (error: unknown) => error as never,
        );
      };
      const facts = async (script: string): Promise<unknown[]> => {
        const { code, details } = await errorOf(script);
        return [code, details['exit_code'], details['signal']];
      };
      assert.deepEqual(await facts('kill -SEGV $$'), ['SIGNALLED', null, 'SIGSEGV']);
      assert.deepEqual(await facts('kill -KILL $$'), ['SIGNALLED', null, 'SIGKILL']);
      assert.deepEqual(await facts('exit 3'), ['EXIT_NONZERO', 3, null]);
      assert.deepEqual(await facts('exit 1'), ['EXIT_NONZERO', 1, null]);
      assert.deepEqual(await facts('exit 129'), ['EXIT_NONZERO', 129, null]);
      assert.deepEqual(await facts('echo "bwrap: execvp x: No such file" >&2; exit 1'), [
        'EXIT_NONZERO',
        1,
        null,
      ]);
    });

    test('SIGTERM reaches the command with its grace', async () => {
      const abort = new AbortController();
      const request = codeRequest(
        skillOf({
          command: 'sh',
          args: ['-c', 'trap "echo bye > said; exit 0" TERM; touch ready; while :; do sleep 0.05; done'],
        }),
        { sandbox: sandbox(), workspace: stage.workspace, signal: abort.signal, killGraceMs: 5000 },
      );
      const done = runCode(request);
      await until('the step runs', () => existsSync(join(stage.workspace, 'ready')));
      abort.abort();
      assert.deepEqual(await done, { kind: 'cancelled', survivors: [] });
      assert.equal(readFileSync(join(stage.workspace, 'said'), 'utf8'), 'bye\n');
    });

    test('nothing is left of a step that ignores SIGTERM, forks twice and leaves its session', async (t) => {
      const isolation = chooseIsolation({ home: stage.state, requested: 'auto' });
      t.after(() => isolation.close());
      const scope = isolation.openScope('confined', { memoryBytes: null, cpuPercent: null, processes: null });
      const script = `trap "" TERM HUP; for n in 1 2 3; do (setsid sh -c 'trap "" TERM; touch d'$n'; exec sleep 300' >/dev/null 2>&1 &) ; done
      while [ ! -e d1 ] || [ ! -e d2 ] || [ ! -e d3 ]; do sleep 0.02; done; touch all; while :; do sleep 1; done`;
      const abort = new AbortController();
      const base = codeRequest(skillOf({ command: 'sh', args: ['-c', script] }), { signal: abort.signal });
      const done = runCode({ ...base, sandbox: sandbox(), workspace: stage.workspace, scope });
      await until('the daemons run', () => existsSync(join(stage.workspace, 'all')));
      assert.ok(scope.pids().length >= 5, `${scope.pids().length} processes`);
      abort.abort();
      assert.deepEqual(await done, { kind: 'cancelled', survivors: [] });
      assert.deepEqual(scope.pids(), []);
      await scope.remove();
    });
  });

test('as another user a step owns what it makes, and has no more groups than that user', {
  skip: skip || (process.getuid?.() !== 0 && 'only root can be another user') || false,
}, async () => {
  const stage = await openStage(SOMEBODY);
  try {
    for (const tier of ['trusted', 'skill', 'agent'] as const) {
      const { stdout, stderr } = await runConfined({
        ground: stage.ground,
        env: stage.env,
        view: { tier, workspace: stage.workspace, write: tier === 'agent' ? ['made/here'] : null },
        argv: [
          '/bin/sh',
          '-c',
          'id -u; id -G; touch made-file 2>/dev/null; touch made/here/x 2>/dev/null; stat -c %u made-file made/here/x 2>/dev/null; grep CapEff /proc/self/status',
        ],
      });
      const { uid } = SOMEBODY;
      const made = tier === 'agent' ? [uid, uid] : [uid];
      assert.equal(stdout, [uid, uid, ...made, 'CapEff:\t0000000000000000', ''].join('\n'), stderr);
    }
  } finally {
    await stage.close();
  }
});

/** A scope that starts commands through the shim, as in a run. */
function shimmedScope(): FakeScope {
  const scope = new FakeScope();
  scope.plan = (command) => barePlan(command, 'fake');
  return scope;
}

const SWAP = `const fs=require('fs'); const [out, aside, spare]=process.argv.slice(1);
for(;;) try { fs.renameSync(out, spare); fs.renameSync(aside, out); fs.renameSync(out, aside); fs.renameSync(spare, out) } catch {}`;

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return '';
    throw error;
  }
}
