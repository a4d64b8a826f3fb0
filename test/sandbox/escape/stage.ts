/** The surroundings of the escape attempts: something to steal, to break and to reach, all in a folder of their own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxGround, StepUser } from '../../../sandbox/launcher/ground.ts';
import { seccompProgram } from '../../../sandbox/launcher/seccomp/program.ts';
import { surveySystem } from '../../../sandbox/launcher/system-view.ts';
import { type Layers, probeLayers } from '../../../sandbox/layers.ts';

export interface Stage {
  readonly workspace: string;
  readonly state: string;
  readonly outside: string;
  readonly env: Readonly<Record<string, string>>;
  readonly ground: SandboxGround;
  close(): Promise<void>;
}

/** A uid without an entry anywhere. */
export const SOMEBODY: StepUser = { uid: 54321, gid: 54321, name: null, home: null };

/** Why no confined tier can be tried here, or false. */
export async function lacksSandbox(): Promise<string | false> {
  const { bubblewrap, seccomp } = await probeLayers();
  return [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;
}

export async function openStage(user: StepUser | null): Promise<Stage> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'q-escape-')));
  const place = (name: string): string => join(base, name);
  const [workspace, state, outside, home, policies] = [
    'workspace',
    'state',
    'outside',
    'home',
    'package/policies',
  ].map(place) as [string, string, string, string, string];
  const { layers, shared, temporary } = await layOut(base, { workspace, state, outside, home, policies });
  const abstract = `q-escape-${process.pid}-${user?.uid ?? 'self'}`;
  const servers = await Promise.all([
    listen({ path: join(state, 'control.sock') }),
    listen({ path: join(workspace, 'dev.sock') }),
    listen({ path: `\0${abstract}` }),
    listen({ port: 0, host: '127.0.0.1' }),
  ]);
  const address = servers[3]?.address();
  const victim = await startVictim(outside, user);
  const shm = ownIpc('--shmem', '4096');
  const queue = ownIpc('--queue');
  const semaphore = ownIpc('--semaphore', '1');
  if (user !== null) giveAway(base, user);
  // Only now, so that it stays another's.
  writeFileSync(join(workspace, 'private'), 'private');
  if (process.getuid?.() === 0) chownSync(join(workspace, 'private'), 12345, 12345);
  chmodSync(join(workspace, 'private'), 0o600);
  return {
    workspace,
    state,
    outside,
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
      HOME: home,
      NODE: process.execPath,
      WORKSPACE: workspace,
      STATE: state,
      OUTSIDE: outside,
      POLICIES: policies,
      TEMPORARY: temporary,
      SHARED: shared,
      ABSTRACT: abstract,
      PORT: String(typeof address === 'object' && address !== null ? address.port : 0),
      VICTIM: String(victim.pid),
      VICTIM_WORD: 'q-escape-victim'.slice(0, 15),
      SHM_ID: shm,
      QUEUE_ID: queue,
      SEMAPHORE_ID: semaphore,
      SUPERVISOR: String(process.pid),
      SETUID: join(base, 'set-uid'),
    },
    ground: {
      bubblewrap: {
        path: layers.bubblewrap.path ?? '',
        takesDescriptors: layers.bubblewrap.takesDescriptors,
      },
      setpriv: layers.setpriv.path,
      seccompFile: join(base, 'seccomp.bpf'),
      user,
      system: surveySystem(process.getuid?.() === 0 && user === null),
      fault: null,
      hidden: [state],
      readOnly: [policies],
      guarded: [],
      gitConfig: null,
    },
    close: async () => {
      victim.kill('SIGKILL');
      spawnSync('ipcrm', ['--shmem-id', shm, '--queue-id', queue, '--semaphore-id', semaphore]);
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      for (const path of [base, shared, temporary]) rmSync(path, { recursive: true, force: true });
    },
  };
}

/** The number of something of System V that everybody may use. */
function ownIpc(...what: readonly string[]): string {
  return spawnSync('ipcmk', [...what, '--mode', '0666'], { encoding: 'utf8' }).stdout.replace(/\D/g, '');
}

interface Places {
  readonly workspace: string;
  readonly state: string;
  readonly outside: string;
  readonly home: string;
  readonly policies: string;
}

async function layOut(
  base: string,
  { workspace, state, outside, home, policies }: Places,
): Promise<{ layers: Layers; shared: string; temporary: string }> {
  const id = `q-escape-${process.pid}-${base.slice(-6)}`;
  const files: Readonly<Record<string, string>> = {
    [join(outside, 'file')]: 'outside',
    [join(home, '.ssh/id_ed25519')]: 'key',
    [join(home, '.profile')]: 'mine',
    [join(policies, 'default.json')]: '{}',
    [join(state, 'q-workflow.db')]: 'db',
    [join(state, 'seccomp.bpf')]: 'program',
    [join(state, 'instances/other/step-1-1.log')]: 'log',
    [join(state, 'secrets/TOKEN')]: 'token',
    [join(state, 'policies/mine.json')]: '{}',
    [`/dev/shm/${id}`]: 'shared',
    [`/tmp/${id}`]: 'temporary',
  };
  mkdirSync(workspace);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
  }
  chmodSync(base, 0o755);
  writeFileSync(join(base, 'seccomp.bpf'), seccompProgram() ?? '');
  symlinkSync(join(outside, 'file'), join(workspace, 'link'));
  copyFileSync('/usr/bin/id', join(base, 'set-uid'));
  return { layers: await probeLayers(), shared: `/dev/shm/${id}`, temporary: `/tmp/${id}` };
}

function giveAway(base: string, { uid, gid }: StepUser): void {
  spawnSync('chown', ['--recursive', '--no-dereference', `${uid}:${gid}`, base]);
  spawnSync('chown', ['root:root', join(base, 'set-uid')]);
  chmodSync(join(base, 'set-uid'), 0o4755);
}

/** A process of the same user with a name, a token and a working folder to look for. */
async function startVictim(outside: string, user: StepUser | null): Promise<ChildProcess> {
  const script = 'echo q-escape-victim > /proc/self/comm; echo up; exec 1>&-; while read -r line; do :; done';
  const child = spawn('/bin/sh', ['-c', script], {
    cwd: outside,
    env: { PATH: '/usr/bin:/bin', VICTIM_TOKEN: 'token' },
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(user === null ? {} : { uid: user.uid, gid: user.gid }),
  });
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return child;
}

function listen(where: { path: string } | { port: number; host: string }): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.end());
    server.on('error', reject);
    server.listen(where, () => {
      if ('path' in where && where.path.startsWith('/')) chmodSync(where.path, 0o777);
      resolve(server);
    });
  });
}
