import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { heldTier, missingLayers, type SandboxGround } from '../../../sandbox/launcher/ground.ts';
import { type Launch, prepareLaunch, type StepView } from '../../../sandbox/launcher/launch.ts';

const skip = process.platform === 'linux' ? false : 'sandboxes are for Linux';
let base = '';
let workspace = '';

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'q-launch-')));
  workspace = join(base, 'ws');
  mkdirSync(workspace);
});
afterEach(() => rmSync(base, { recursive: true }));

function ground(more: Partial<SandboxGround> = {}): SandboxGround {
  return {
    bubblewrap: { path: '/usr/bin/bwrap', takesDescriptors: false },
    setpriv: '/usr/bin/setpriv',
    seccompFile: '/state/seccomp.bpf',
    user: null,
    system: {
      mounts: [{ kind: 'show', source: { path: '/usr' }, target: '/usr', access: 'read' }],
      folders: ['/usr', '/bin'],
    },
    fault: null,
    hidden: [],
    readOnly: [],
    guarded: [],
    gitConfig: null,
    ...more,
  };
}

function launch(
  view: Partial<StepView>,
  more: Partial<SandboxGround> = {},
  env: Record<string, string> = {},
): Launch {
  const command = { file: '/usr/bin/tool', args: ['a b', ''], cwd: workspace, env };
  const whole: StepView = {
    tier: 'skill',
    network: 'host',
    workspace,
    scratch: null,
    read: null,
    write: null,
    files: [],
    ...view,
  };
  const made = prepareLaunch(command, { ground: ground(more), view: whole }, 'home/i/step');
  made.release();
  return made;
}

/** The options that bwrap reads from its descriptor. */
function words(made: Launch): string[] {
  const [first] = made.handed;
  assert.ok(first?.kind === 'text');
  return first.text.split('\0').slice(0, -1);
}

/** The mounts of the workspace and of what is below it, as `verb path`. */
function mountsBelow(made: Launch, folder = workspace): string[] {
  const all = words(made);
  return all.flatMap((word, index) => {
    const verb = all[index - (['--bind', '--ro-bind'].includes(all[index - 2] ?? '') ? 2 : 1)] ?? '';
    const isTarget =
      ['--tmpfs', '--remount-ro', '--dir'].includes(verb) ||
      ['--bind', '--ro-bind'].includes(all[index - 2] ?? '');
    return isTarget && (word === folder || word.startsWith(`${folder}/`))
      ? [`${verb} ${word.slice(folder.length) || '.'}`]
      : [];
  });
}

describe('a link that came into the place of the workspace since the run began', { skip }, () => {
  test('shows nothing of what a home keeps private, and nothing of the state folder', () => {
    for (const to of ['.ssh', 'state']) {
      const folder = join(base, to);
      mkdirSync(folder);
      rmSync(workspace, { recursive: true });
      symlinkSync(folder, workspace);
      assert.deepEqual(
        mountsBelow(launch({}, { hidden: [join(base, 'state')] }), folder),
        ['--tmpfs .', '--dir .'],
        to,
      );
    }
  });
});

describe('the chain', { skip }, () => {
  test('who commits stands in a home of which nothing else is shown', () => {
    const gitConfig = '[user]\n\tname = "a"\n';
    const made = launch({ tier: 'agent' }, { gitConfig }, { HOME: '/home/a' });
    const all = words(made);
    const at = all.indexOf('--ro-bind-data');
    assert.deepEqual(all.slice(at, at + 3), ['--ro-bind-data', '6', '/home/a/.gitconfig']);
    assert.deepEqual(made.handed[3], { kind: 'text', text: gitConfig });
    for (const [view, env] of [
      [{ tier: 'untrusted' }, { HOME: '/home/a' }],
      [{ tier: 'agent' }, { HOME: workspace }],
      [{ tier: 'agent' }, {}],
    ] as const)
      assert.ok(!words(launch(view, { gitConfig }, env)).includes('--ro-bind-data'), JSON.stringify(env));
  });

  test('a confined command is started by bwrap, which reads its options and the filter from descriptors', () => {
    const { command, handed, starter } = launch({});
    assert.equal(command.file, '/usr/bin/bwrap');
    assert.deepEqual(command.args, [
      '--args',
      '3',
      '--json-status-fd',
      '4',
      '--seccomp',
      '5',
      '--',
      '/usr/bin/tool',
      'a b',
      '',
    ]);
    assert.deepEqual(handed.slice(1), [{ kind: 'status' }, { kind: 'file', path: '/state/seccomp.bpf' }]);
    assert.equal(starter, 'bubblewrap');
    assert.deepEqual(command.limits, { coreBytes: 0, openFiles: 1024 });
  });

  test('the environment is in no argv and no environment but the command’s own', () => {
    const env = { SECRET: 'hidden value', LD_PRELOAD: '/ws/evil.so', 'odd-name': '1', PATH: '/usr/bin' };
    for (const tier of ['trusted', 'skill', 'untrusted'] as const) {
      const { command, handed } = launch({ tier }, {}, env);
      assert.doesNotMatch(
        JSON.stringify([command.file, command.args, command.env]),
        /hidden value|evil\.so/,
        tier,
      );
      assert.deepEqual(command.env, { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' });
      assert.match(JSON.stringify(handed), /hidden value/);
    }
    const options = words(launch({}, {}, env));
    const at = options.indexOf('SECRET');
    assert.deepEqual(options.slice(at - 1, at + 2), ['--setenv', 'SECRET', 'hidden value']);
    assert.ok(options.indexOf('--clearenv') < at);
  });

  test('with a proxy the listener comes first, and the last shell takes the environment', () => {
    const env = { SECRET: 'hidden value', HTTP_PROXY: 'http://other.example' };
    const made = (rules: readonly { host: string; ports: number[] }[]): Launch => {
      const whole: StepView = {
        tier: 'agent',
        network: 'proxy',
        scratch: null,
        workspace,
        read: null,
        write: null,
        files: [],
      };
      const command = { file: '/usr/bin/tool', args: ['a b', ''], cwd: workspace, env };
      const access = { rules, onEvent: () => undefined };
      const launched = prepareLaunch(command, { ground: ground(), view: whole, access }, 'home/i/step');
      launched.release();
      return launched;
    };
    const { command, handed, starter } = made([{ host: 'a.example', ports: [443] }]);
    assert.equal(starter, 'shell-in-bubblewrap');
    assert.deepEqual(
      handed.map(({ kind }) => kind),
      ['text', 'status', 'file', 'text', 'channel'],
    );
    const { args } = command;
    assert.deepEqual(args.slice(args.indexOf('--') + 1, args.indexOf('--') + 3), ['/bin/sh', '-c']);
    assert.match(args[args.indexOf('--') + 3] ?? '', /^NODE_CHANNEL_FD=7 [\s\S]*; shift 2; exec "\$@" 7<&-$/);
    assert.deepEqual(args.slice(-4), ['q-workflow-shim', '/usr/bin/tool', 'a b', '']);
    assert.doesNotMatch(JSON.stringify([args, handed[0]]), /hidden value|--setenv/);
    const [, , , environment] = handed;
    assert.ok(environment?.kind === 'text');
    assert.match(environment.text, /SECRET='hidden value'/);
    assert.match(environment.text, /HTTP_PROXY='http:\/\/127\.0\.0\.1:3128'/);
    assert.doesNotMatch(environment.text, /other\.example/);
    const without = made([]);
    assert.equal(without.starter, 'bubblewrap');
    assert.ok(words(without).includes('--unshare-net'));
    assert.ok(!without.handed.some(({ kind }) => kind === 'channel'));
  });

  test('a command cannot choose its own marker', () => {
    const options = words(launch({}, {}, { Q_WORKFLOW_SCOPE: 'other' }));
    assert.equal(options[options.indexOf('Q_WORKFLOW_SCOPE') + 1], 'home/i/step');
  });

  test('another user comes before bwrap, with its groups where it has a name', () => {
    const user = { uid: 1000, gid: 100, name: 'ann', home: '/home/ann' };
    const { command } = launch({}, { user });
    const ids = ['--reuid=1000', '--regid=100', '--init-groups', '--', '/usr/bin/bwrap'];
    assert.equal(command.file, '/usr/bin/setpriv');
    assert.deepEqual(
      command.args.slice(command.args.indexOf('--reuid=1000'), command.args.indexOf('--args')),
      ids,
    );
    const nameless = launch({}, { user: { ...user, name: null } });
    assert.ok(nameless.command.args.includes('--clear-groups'));
  });

  test('trusted is setpriv and a shell that takes the environment', () => {
    const { command, starter } = launch({ tier: 'trusted' });
    assert.equal(command.file, '/usr/bin/setpriv');
    assert.ok(command.args.includes('--no-new-privs'));
    assert.deepEqual(command.args.slice(-4), ['q-workflow-shim', '/usr/bin/tool', 'a b', '']);
    assert.equal(starter, 'shell');
  });

  test('without bwrap, or where no view can hold the workspace, what is left is trusted', () => {
    for (const lacking of [{ bubblewrap: null }, { fault: 'the workspace / is a folder of the system' }]) {
      assert.equal(launch({}, lacking).starter, 'shell');
      assert.deepEqual(missingLayers(ground(lacking), 'skill'), ['bubblewrap', 'seccomp']);
      assert.equal(heldTier(ground(lacking), 'untrusted'), 'trusted');
    }
    assert.equal(heldTier(ground({ setpriv: null }), 'skill'), 'skill');
    assert.equal(heldTier(ground({ setpriv: null }), 'trusted'), null);
    const user = { uid: 1000, gid: 100, name: null, home: null };
    assert.deepEqual(missingLayers(ground({ setpriv: null, user }), 'skill'), ['setpriv']);
  });

  test('more variables than bwrap takes are refused', () => {
    const env = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`V${index}`, '']));
    assert.throws(() => launch({}, {}, env), {
      name: 'RangeError',
      message: 'the sandbox takes no more than 8900 words',
    });
  });
});

describe('the view', { skip }, () => {
  test('the network is the host’s only where it is asked for; a proxy that is not there is none', () => {
    assert.equal(words(launch({ network: 'host' })).includes('--unshare-net'), false);
    for (const network of ['none', 'proxy'] as const)
      assert.equal(words(launch({ network })).includes('--unshare-net'), true);
  });

  test('the workspace is writable at its own path, and everything else is sealed', () => {
    const made = launch({});
    assert.deepEqual(mountsBelow(made), ['--bind .']);
    const options = words(made);
    assert.ok(options.indexOf('/', options.lastIndexOf('--remount-ro')) > 0);
    assert.deepEqual(options.slice(options.indexOf('--chdir'), options.indexOf('--chdir') + 2), [
      '--chdir',
      workspace,
    ]);
  });

  test('a link to the workspace is followed', () => {
    symlinkSync(workspace, join(base, 'link'));
    assert.deepEqual(mountsBelow(launch({ workspace: join(base, 'link') })), ['--bind .']);
  });

  test('untrusted sees an empty folder in its place, with the working folder in it', () => {
    assert.deepEqual(mountsBelow(launch({ tier: 'untrusted', network: 'none' })), ['--tmpfs .', '--dir .']);
  });

  test('a workspace that may be written in places only is read-only around them; what is missing is made', () => {
    mkdirSync(join(workspace, 'out'));
    const made = launch({ write: ['out', 'new/deep', 'report.md', '../escape', '/etc'] });
    assert.deepEqual(mountsBelow(made), [
      '--ro-bind .',
      '--bind /out',
      '--bind /report.md',
      '--bind /new/deep',
    ]);
  });

  test('a workspace that may be read in places only is empty around them, and sealed', () => {
    mkdirSync(join(workspace, 'src/out'), { recursive: true });
    mkdirSync(join(workspace, 'docs'));
    const made = launch({ read: ['src', 'missing'], write: ['src/out'] });
    assert.deepEqual(mountsBelow(made), [
      '--tmpfs .',
      '--ro-bind /src',
      '--bind /src/out',
      '--dir .',
      '--remount-ro .',
    ]);
    assert.deepEqual(mountsBelow(launch({ read: ['docs'] })), [
      '--tmpfs .',
      '--bind /docs',
      '--dir .',
      '--remount-ro .',
    ]);
    assert.deepEqual(mountsBelow(launch({ read: [], write: [] })), [
      '--tmpfs .',
      '--dir .',
      '--remount-ro .',
    ]);
  });

  test('a path that leads out by a link is not shown', () => {
    symlinkSync('/etc', join(workspace, 'out'));
    symlinkSync(workspace, join(workspace, 'self'));
    assert.deepEqual(mountsBelow(launch({ write: ['out', 'out/passwd', 'out/q-new'] })), ['--ro-bind .']);
  });

  test('the state folder in a workspace is empty, and the folders above it cannot be renamed away', () => {
    const state = join(workspace, 'a/b/state');
    mkdirSync(state, { recursive: true });
    const made = launch({}, { hidden: [state] });
    assert.deepEqual(mountsBelow(made), [
      '--bind .',
      '--bind /a',
      '--bind /a/b',
      '--tmpfs /a/b/state',
      '--remount-ro /a/b/state',
    ]);
  });

  test('a state folder in a folder of the system is empty too', () => {
    const state = join(base, 'var/state');
    mkdirSync(state, { recursive: true });
    const seen = {
      kind: 'show',
      source: { path: join(base, 'var') },
      target: join(base, 'var'),
      access: 'read',
    } as const;
    const system = { mounts: [seen], folders: [join(base, 'var')] };
    assert.deepEqual(mountsBelow(launch({}, { system, hidden: [state] }), join(base, 'var')), [
      '--ro-bind .',
      '--tmpfs /state',
      '--remount-ro /state',
    ]);
  });

  test('policies in a workspace are read-only', () => {
    mkdirSync(join(workspace, 'policies'));
    const made = launch({}, { readOnly: [join(workspace, 'policies')] });
    assert.deepEqual(mountsBelow(made), ['--bind .', '--ro-bind /policies']);
  });

  test('what is guarded is read-only for agents, where it is there, and so are the folders to it held', () => {
    mkdirSync(join(workspace, '.kiro/agents'), { recursive: true });
    const guarded = [join(workspace, '.kiro/agents'), join(workspace, '.kiro/hooks')];
    assert.deepEqual(mountsBelow(launch({ tier: 'agent' }, { guarded })), [
      '--bind .',
      '--bind /.kiro',
      '--ro-bind /.kiro/agents',
    ]);
    assert.deepEqual(mountsBelow(launch({ tier: 'skill' }, { guarded })), ['--bind .']);
  });

  test('what is hidden stays so where it is guarded as well', () => {
    mkdirSync(join(workspace, '.q-workflow/secrets'), { recursive: true });
    const state = join(workspace, '.q-workflow');
    const made = launch({ tier: 'agent' }, { hidden: [state], guarded: [state, join(state, 'secrets')] });
    assert.deepEqual(mountsBelow(made), ['--bind .', '--tmpfs /.q-workflow', '--remount-ro /.q-workflow']);
  });

  test('a home is empty but for programs on PATH; as a workspace it does not show its keys', () => {
    const home = join(base, 'home');
    for (const folder of ['.ssh', '.tool/bin', '.local/bin', 'ws'])
      mkdirSync(join(home, folder), { recursive: true });
    writeFileSync(join(home, '.tool/credentials'), 'token');
    const env = { HOME: home, PATH: `${home}/.tool/bin:${home}/.local/bin:${home}:relative:/usr/bin` };
    const inside = join(home, 'ws');
    const made = launch({ workspace: inside }, {}, env);
    assert.deepEqual(mountsBelow(made, home), [
      '--tmpfs .',
      '--ro-bind /.local/bin',
      '--ro-bind /.tool',
      '--ro-bind /.tool/credentials',
      '--bind /ws',
    ]);
    assert.deepEqual(mountsBelow(launch({ workspace: home }, {}, { ...env, PATH: '' }), home), [
      '--tmpfs .',
      '--bind .',
      '--tmpfs /.ssh',
      '--remount-ro /.ssh',
    ]);
  });

  test('a home that is the workspace does not show its keys to a command with another HOME either', () => {
    const home = join(base, 'home');
    mkdirSync(join(home, '.ssh'), { recursive: true });
    const made = launch({ workspace: home, home }, {}, { HOME: '/somewhere/else' });
    assert.deepEqual(mountsBelow(made, home), [
      '--tmpfs .',
      '--bind .',
      '--tmpfs /.ssh',
      '--remount-ro /.ssh',
    ]);
  });

  test('a skill file and its scripts are shown with their folder, but never a home for it', () => {
    const home = join(base, 'home');
    mkdirSync(join(home, 'skills'), { recursive: true });
    for (const file of ['skills/a.json', 'run.sh']) writeFileSync(join(home, file), '');
    const made = launch({ files: [join(home, 'skills/a.json'), join(home, 'run.sh')] }, {}, { HOME: home });
    assert.deepEqual(mountsBelow(made, home), ['--tmpfs .', '--ro-bind /run.sh', '--ro-bind /skills']);
  });

  test('a TMPDIR that is not in view becomes /tmp', () => {
    const other = words(launch({}, {}, { TMPDIR: '/somewhere' }));
    assert.equal(other[other.indexOf('TMPDIR') + 1], '/tmp');
    const own = words(launch({}, {}, { TMPDIR: join(workspace, 't') }));
    assert.equal(own[own.indexOf('TMPDIR') + 1], join(workspace, 't'));
  });
});
