import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Scope } from '../../../sandbox/isolation.ts';
import { identify, type ProcessIdentity } from '../../../sandbox/process-identity.ts';
import { systemCode, WorkflowError } from '../../errors/workflow-error.ts';
import { FAILPOINT_VARIABLE } from '../../protocol/failpoint.ts';
import { type Home, instanceFolder } from '../../protocol/home.ts';
import { programFile } from '../../protocol/install.ts';
import type { Bootstrap } from '../../protocol/instance-link.ts';
import { openHostLog } from './host-log.ts';

/** A secret that only the process it is handed to knows; the database keeps its hash. */
export function createToken(): { token: string; hash: string } {
  const token = randomBytes(32).toString('base64url');
  return { token, hash: hashToken(token) };
}

export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Makes the instance's folder. Throws HOME_UNWRITABLE or STORE_FULL. */
export function makeInstanceFolder(home: Home, id: string): void {
  try {
    mkdirSync(instanceFolder(home, id), { recursive: true, mode: 0o700 });
  } catch (error) {
    const code = systemCode(error);
    throw new WorkflowError(
      code === 'ENOSPC' ? 'STORE_FULL' : 'HOME_UNWRITABLE',
      `cannot make the folder of instance ${id}: ${code}`,
      { cause: error },
    );
  }
}

export interface Launched {
  readonly child: ChildProcess;
  readonly identity: ProcessIdentity;
}

/**
 * Starts the process of an instance inside its scope and hands it its bootstrap over descriptor 3. The shim puts it
 * into the cgroup before Node runs. Throws SPAWN_FAILED when it cannot be started (EAGAIN, missing program).
 */
export function launchInstance(
  home: Home,
  scope: Scope,
  memoryBytes: number,
  bootstrap: Bootstrap,
): Launched {
  const plan = scope.plan({
    file: process.execPath,
    args: [...nodeFlags(memoryBytes), programFile('instance/main')],
    cwd: instanceFolder(home, bootstrap.instance),
    env: {
      PATH: '/usr/bin:/bin',
      NODE_COMPILE_CACHE: join(home.folder, 'compile-cache'),
      ...testFailpoint(bootstrap.incarnation),
    },
  });
  const log = openHostLog(home, bootstrap.instance, bootstrap.incarnation);
  try {
    const child = spawn(plan.file, plan.args, {
      cwd: plan.cwd,
      env: { ...plan.env },
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
    });
    // A failed start is an event, not a throw; the missing pid tells it at once.
    child.on('error', () => undefined);
    const identity = child.pid === undefined ? null : identify(child.pid);
    if (child.pid === undefined || identity === null)
      throw new WorkflowError(
        'SPAWN_FAILED',
        `the process of instance ${bootstrap.instance} could not be started`,
      );
    scope.attach(child.pid);
    const pipe = child.stdio[3] as Writable;
    // The process may die before it has read everything: its exit is judged elsewhere.
    pipe.on('error', () => undefined);
    pipe.end(JSON.stringify(bootstrap));
    child.unref();
    return { child, identity };
  } finally {
    closeSync(log);
  }
}

/** A crash that a test asked for happens once, not in every incarnation. */
function testFailpoint(incarnation: number): Record<string, string> {
  const wanted = process.env[FAILPOINT_VARIABLE];
  if (wanted === undefined) return {};
  const [, chosen = '1'] = wanted.split('@');
  return Number(chosen) === incarnation ? { [FAILPOINT_VARIABLE]: wanted } : {};
}

/**
 * Heap size after the memory limit: 65 % of small limits, 75 % of large ones, so that a full heap is V8's readable
 * abort rather than a bare SIGKILL. In argv, because NODE_OPTIONS would reach the steps.
 */
function nodeFlags(memoryBytes: number): string[] {
  const megabytes = memoryBytes / 1024 / 1024;
  const share = megabytes <= 256 ? 0.65 : 0.75;
  return [
    `--max-old-space-size=${Math.max(32, Math.floor(megabytes * share))}`,
    '--max-semi-space-size=1',
    '--no-warnings',
  ];
}
