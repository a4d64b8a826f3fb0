import { type ChildProcess, spawn } from 'node:child_process';
import { systemCode } from '../../src/errors/workflow-error.ts';

/**
 * A scope ends with its last process. A holder is a shell in a leaf of it that waits on a pipe which only we hold: it
 * ends when we let go, or die in whatever way, and from then on the instances in the scope hold it themselves.
 */
export interface Holder {
  readonly pid: number;
  /** Path of the cgroup within the v2 tree that it was in when it started. */
  readonly cgroup: string;
  /** Resolves when it has ended, let go or killed. */
  readonly ended: Promise<void>;
  release(): void;
}

/** `$1` is a folder to join, or empty. Its own cgroup is the first it says; end of output means that it holds. */
const SCRIPT = `[ -z "$1" ] || echo 0 > "$1/cgroup.procs" || exit 125
while read -r line; do echo "$line"; done < /proc/self/cgroup
exec > /dev/null 2>&1
read -r line`;

/**
 * Starts a holder, by way of another program (`prefix`) or by joining `folder`. It does not keep our process alive.
 * Answers the reason, in words, when it does not hold within the time; it is ended then.
 */
export function startHolder(
  prefix: readonly string[],
  folder: string,
  timeoutMs: number,
  env: Readonly<Record<string, string>>,
): Promise<Holder | string> {
  const [file, ...args] = [...prefix, '/bin/sh', '-c', SCRIPT, 'q-workflow-holder', folder];
  // A session of its own: Ctrl-C in a terminal is for us, not for it.
  const child = spawn(file, args, { cwd: '/', env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  child.unref();
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let said = '';
  let complaint = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  // It is gone: `ended` tells.
  child.stdin.on('error', () => undefined);
  return new Promise((resolve) => {
    const settle = (answer: Holder | string): void => {
      clearTimeout(timer);
      if (typeof answer === 'string') child.kill('SIGKILL');
      resolve(answer);
    };
    const timer = setTimeout(() => settle(`${file} did not answer within ${timeoutMs / 1000} s`), timeoutMs);
    child.once('error', (error) =>
      settle(systemCode(error) === 'ENOENT' ? `${file} was not found` : `${file}: ${error.message}`),
    );
    child.once('close', (code, signal) => settle(failure(file, complaint, code, signal)));
    child.stdout.once('end', () => {
      const cgroup = /^0::(\/.*)$/m.exec(said)?.[1];
      // Without its line it has failed: `close` follows, with the reason.
      if (cgroup !== undefined) settle(holderOf(child, cgroup, ended));
    });
  });
}

function holderOf(child: ChildProcess, cgroup: string, ended: Promise<void>): Holder {
  return { pid: child.pid ?? 0, cgroup, ended, release: () => child.stdin?.end() };
}

function failure(file: string, complaint: string, code: number | null, signal: string | null): string {
  const line = complaint.trim().split('\n')[0];
  return `${file} failed: ${line || (signal === null ? `exit status ${code}` : signal)}`;
}
