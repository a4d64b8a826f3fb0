import { closeSync, lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CommandSpec } from '../isolation.ts';
import type { NetworkAccess } from '../network/events.ts';
import { listenerWords, proxyVariables } from '../network/inside.ts';
import { MARKER, SHIM_NAME } from '../shim.ts';
import { environmentLink } from './environment-link.ts';
import type { SandboxGround } from './ground.ts';
import { linkedRepository } from './linked-worktree.ts';
import { type HandedSource, isInside, type Mount, mountOptions, show } from './mount.ts';
import { privatePlaces } from './private-places.ts';
import { realPath } from './real-path.ts';
import { setprivWords } from './setpriv.ts';
import type { Tier } from './tier.ts';
import { toolsView } from './tools-view.ts';
import { workspaceOwner } from './workspace-owner.ts';
import { workspaceView } from './workspace-view.ts';

/** What one step may do and see. */
export interface StepView {
  readonly tier: Tier;
  /** `proxy` has no way out but the one that `StepSandbox.access` describes; without that it is none. */
  readonly network: 'host' | 'none' | 'proxy';
  readonly workspace: string;
  /** A folder for temporary files that all steps of the instance share, writable at its own path; null = none. */
  readonly scratch: string | null;
  /** Of the workspace; null = all. Relative paths; a path that leads out counts as nothing. */
  readonly read: readonly string[] | null;
  readonly write: readonly string[] | null;
  /** The skill file and scripts that the command line names; absolute. */
  readonly files: readonly string[];
  /** Whether a step of the tier `agent` may change what lies in the `.git` of the workspace, if not all. */
  readonly repository?: 'read' | 'write';
  /** The home of the person, whatever HOME the step has: what it keeps private is not shown. */
  readonly home?: string | null;
}

/** The ground that a machine gives, and the view that a step gets on it. */
export interface StepSandbox {
  readonly ground: SandboxGround;
  readonly view: StepView;
  /** What a view with the network `proxy` may reach. */
  readonly access?: NetworkAccess;
}

/** What is handed to the launched process on descriptor 3 and those after it, in order. */
export type Handed =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'open'; readonly fd: number }
  /** bwrap writes there what became of the command. */
  | { readonly kind: 'status' }
  /** A channel of Node's for messages, which takes descriptors too. */
  | { readonly kind: 'channel' };

export interface Launch {
  /** For `plan` of the step's scope. */
  readonly command: CommandSpec;
  readonly handed: readonly Handed[];
  /** Who starts the command: from bwrap an end by a signal comes as exit code 128 + N. */
  readonly starter: 'bubblewrap' | 'shell' | 'shell-in-bubblewrap';
  /** Closes what was opened for it; to be called after the spawn. */
  release(): void;
}

/** Names the scratch folder to a step; TMPDIR is the same where it has one. */
export const SCRATCH_VARIABLE = 'Q_WORKFLOW_SCRATCH';
const FIRST_DESCRIPTOR = 3;
/** bwrap takes 9,000 words. */
const MAX_WORDS = 8900;
/** All that shim, setpriv and bwrap ever get of an environment. */
const LAUNCHER_PATH = '/usr/bin:/bin:/usr/sbin:/sbin';
export const STEP_LIMITS = { coreBytes: 0, openFiles: 1024 } as const;

/**
 * The chain that ends in the command of a step: setpriv (another user, no new privileges), bwrap with the whole
 * view, or without it a shell that takes the environment. `marker` is the scope's. Layers that the ground lacks are
 * left out: whoever may not do without them asks `missingLayers` before. Throws RangeError for more variables than
 * bwrap takes.
 */
export function prepareLaunch(command: CommandSpec, sandbox: StepSandbox, marker: string): Launch {
  const { ground, view } = sandbox;
  const env = { ...command.env, [MARKER]: marker };
  return isConfined(ground, view) ? confined(command, env, sandbox) : plain(command, env, ground);
}

/** Whether the step gets a proxy: not where it could reach nothing through it. */
export function hasProxy({ ground, view, access }: StepSandbox): boolean {
  if (!isConfined(ground, view) || view.network !== 'proxy' || access === undefined) return false;
  return access.rules.length > 0 || access.grants !== undefined;
}

function isConfined(ground: SandboxGround, view: StepView): boolean {
  return view.tier !== 'trusted' && ground.bubblewrap !== null && ground.fault === null;
}

function plain(command: CommandSpec, env: Readonly<Record<string, string>>, ground: SandboxGround): Launch {
  const link = environmentLink(env, SHIM_NAME);
  const words = [...setpriv(ground), ...link.argv, command.file, ...command.args];
  return {
    command: launcherCommand(words, command.cwd),
    handed: [{ kind: 'text', text: link.text }],
    starter: 'shell',
    release: () => undefined,
  };
}

function confined(command: CommandSpec, env: Readonly<Record<string, string>>, sandbox: StepSandbox): Launch {
  const { ground, view } = sandbox;
  const workspace = realPath(view.workspace) ?? view.workspace;
  const cwd = realPath(command.cwd) ?? command.cwd;
  const { system, hidden, user } = ground;
  const repository = linkedRepository(workspace);
  const homes = homesOf(sandbox, env);
  const tools = toolsView({
    path: env['PATH'] ?? '',
    homes,
    files: [...view.files, process.execPath],
    folders: repository === null ? [] : [repository],
    workspace,
    seen: system.folders,
    hidden,
    user,
  });
  const space = workspaceView({
    workspace,
    cwd,
    user,
    isShown: view.tier !== 'untrusted' && isSafe(view.workspace, workspace, hidden),
    read: view.read,
    write: view.write,
    hidden: [...hidden, ...privatePlaces(homes.map((each) => realPath(each) ?? each))],
    readOnly: keptPlaces(sandbox, workspace),
    takesDescriptors: ground.bubblewrap?.takesDescriptors ?? false,
  });
  const mounts: Mount[] = [
    ...system.mounts,
    ...homes
      .filter((each) => needsHome(each, system.folders))
      .map((target): Mount => ({ kind: 'empty', target })),
    ...tools,
    ...space.mounts,
    ...(view.scratch === null ? [] : [show(view.scratch, 'write')]),
    ...hidden.filter((folder) => system.folders.some((seen) => isInside(folder, seen))).flatMap(hide),
  ];
  mounts.push(...gitConfigOf(sandbox, env, mounts), { kind: 'seal', target: '/' });
  const handed: Handed[] = [{ kind: 'text', text: '' }, { kind: 'status' }];
  if (ground.seccompFile !== null) handed.push({ kind: 'file', path: ground.seccompFile });
  const tidied = tidy(env, mounts);
  const inside = hasProxy(sandbox) ? insideProxy(tidied, handed) : null;
  const place = (source: HandedSource): number => {
    handed.push('fd' in source ? { kind: 'open', ...source } : { kind: 'text', ...source });
    return FIRST_DESCRIPTOR - 1 + handed.length;
  };
  const words = [...namespaces(view), ...mountOptions(mounts, place), '--chdir', cwd, '--clearenv'];
  if (inside === null)
    for (const [name, value] of Object.entries(tidied)) words.push('--setenv', name, value);
  const release = (): void => {
    for (const descriptor of space.descriptors) closeSync(descriptor);
  };
  if (words.length > MAX_WORDS) {
    release();
    throw new RangeError(`the sandbox takes no more than ${MAX_WORDS} words`);
  }
  handed[0] = { kind: 'text', text: words.map((word) => `${word}\0`).join('') };
  const bwrap = [ground.bubblewrap?.path ?? 'bwrap', '--args', '3', '--json-status-fd', '4'];
  if (ground.seccompFile !== null) bwrap.push('--seccomp', '5');
  return {
    command: launcherCommand(
      [
        ...(user === null ? [] : setpriv(ground)),
        ...bwrap,
        '--',
        ...(inside ?? []),
        command.file,
        ...command.args,
      ],
      '/',
    ),
    handed,
    starter: inside === null ? 'bubblewrap' : 'shell-in-bubblewrap',
    release,
  };
}

/** A skill file may say another HOME for its command: the person's counts as well. */
function homesOf({ ground, view }: StepSandbox, env: Readonly<Record<string, string>>): string[] {
  const homes = [env['HOME'], view.home, ground.user?.home, '/root'];
  return [...new Set(homes)]
    .filter((each) => typeof each === 'string')
    .filter((each) => each.startsWith('/'));
}

/** A step may have put a link in the place of a workspace since its run began: then nothing of it is shown. */
function isSafe(workspace: string, real: string, hidden: readonly string[]): boolean {
  return (
    (workspaceOwner(workspace)?.fault ?? null) === null && !hidden.some((folder) => isInside(real, folder))
  );
}

/** The words before a command whose network has a listener in it; adds to `handed` what they need. */
function insideProxy(env: Readonly<Record<string, string>>, handed: Handed[]): readonly string[] {
  const [text, channel] = [FIRST_DESCRIPTOR + handed.length, FIRST_DESCRIPTOR + handed.length + 1];
  const link = environmentLink({ ...env, ...proxyVariables() }, SHIM_NAME, text);
  handed.push({ kind: 'text', text: link.text }, { kind: 'channel' });
  return [...listenerWords(channel), ...link.argv];
}

function launcherCommand(words: readonly string[], cwd: string): CommandSpec {
  const [file = '', ...args] = words;
  return { file, args, cwd, env: { PATH: LAUNCHER_PATH }, limits: STEP_LIMITS };
}

/**
 * Without --die-with-parent: the outer bwrap dies of the SIGTERM that a stop sends to the whole scope, and would take
 * the command with it before that had its grace. The scope's kill ends everything in any case.
 */
function namespaces({ network }: StepView): string[] {
  return [
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    ...(network === 'host' ? [] : ['--unshare-net']),
    '--cap-drop',
    'ALL',
  ];
}

/** Before bwrap it is needed only for another user, who gets a user namespace with all capabilities in it. */
function setpriv({ setpriv: file, user }: SandboxGround): readonly string[] {
  return file === null ? [] : setprivWords(file, user, process.getuid?.() === 0);
}

function needsHome(home: string, seen: readonly string[]): boolean {
  if (home === '/' || home === '/root' || dirname(home) === '/') return false;
  // Within the system it can be covered only where it is.
  return !seen.some((folder) => isInside(home, folder)) || realPath(home) === home;
}

/** What is shown, and cannot be written. */
function keptPlaces({ ground, view }: StepSandbox, workspace: string): readonly string[] {
  if (view.tier !== 'agent') return ground.readOnly;
  const repository = view.repository === 'read' ? [join(workspace, '.git')] : [];
  return [...ground.readOnly, ...repository, ...ground.guarded];
}

function hide(target: string): Mount[] {
  const stat = lstatSync(target, { throwIfNoEntry: false });
  if (stat === undefined || realPath(target) === null) return [];
  return stat.isDirectory()
    ? [
        { kind: 'empty', target },
        { kind: 'seal', target },
      ]
    : [{ kind: 'mask', target }];
}

/** Who commits, in a home of which nothing else is seen: without it `git commit` fails. */
function gitConfigOf(
  { ground, view }: StepSandbox,
  env: Readonly<Record<string, string>>,
  mounts: readonly Mount[],
): Mount[] {
  const home = env['HOME'];
  if (ground.gitConfig === null || view.tier === 'untrusted') return [];
  if (home === undefined || !home.startsWith('/') || home === '/' || isShown(home, mounts)) return [];
  return [{ kind: 'text', target: join(home, '.gitconfig'), text: ground.gitConfig }];
}

/** The last mount over a place decides what is there. */
function isShown(folder: string, mounts: readonly Mount[]): boolean {
  return mounts.findLast(({ target, kind }) => kind !== 'seal' && isInside(folder, target))?.kind === 'show';
}

/** A TMPDIR of the caller's that is not in view would make every temporary file fail. */
function tidy(
  env: Readonly<Record<string, string>>,
  mounts: readonly Mount[],
): Readonly<Record<string, string>> {
  const folder = env['TMPDIR'];
  if (folder === undefined || isShown(folder, mounts)) return env;
  const { [SCRATCH_VARIABLE]: _, ...rest } = env;
  return { ...rest, TMPDIR: '/tmp' };
}
