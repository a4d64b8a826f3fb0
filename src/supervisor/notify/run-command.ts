import { spawn } from 'node:child_process';
import { systemCode } from '../../errors/workflow-error.ts';
import type { PostOutcome } from '../watching/http-post.ts';

/** What a command of the person gets of our environment. */
const VARIABLES = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'LC_ALL',
  'TZ',
  'XDG_CONFIG_HOME',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
  'DISPLAY',
  'WAYLAND_DISPLAY',
];
const GRACE_MS = 2000;

/**
 * Runs a command without a shell, in a process group of its own, with `input` on its stdin. After its time, when it is
 * called off, and when it has ended, the whole group is ended. Never rejects.
 */
export function runCommand(
  argv: readonly string[],
  input: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<PostOutcome> {
  return new Promise((resolve) => {
    const [file = '', ...args] = argv;
    const failed = (why: string, isFinal = false): void =>
      resolve({ kind: 'failed', why: `${file}: ${why}`, isFinal });
    if (signal.aborted) {
      failed('it was called off');
      return;
    }
    const child = spawn(file, args, {
      cwd: '/',
      detached: true,
      env: environment(),
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const end = (name: NodeJS.Signals): void => {
      if (child.pid !== undefined) signalGroup(child.pid, name);
    };
    let why: string | null = null;
    let hard: NodeJS.Timeout | null = null;
    const stop = (reason: string): void => {
      if (why !== null) return;
      why = reason;
      end('SIGTERM');
      hard = setTimeout(end, GRACE_MS, 'SIGKILL');
    };
    const timer = setTimeout(stop, timeoutMs, `did not end within ${timeoutMs / 1000} s`);
    const abort = (): void => stop('it was called off');
    signal.addEventListener('abort', abort, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      if (hard !== null) clearTimeout(hard);
      signal.removeEventListener('abort', abort);
    };
    child.once('error', (error) => {
      settle();
      failed(systemCode(error) ?? 'could not be started', true);
    });
    child.once('exit', (code, by) => {
      settle();
      // What it left behind in its group; `exit` comes right after it was reaped, before its number is given again.
      end('SIGKILL');
      if (why !== null) failed(why);
      else if (code === 0) resolve({ kind: 'done' });
      else failed(by === null ? `exit status ${code}` : `ended by ${by}`);
    });
    // One that does not read its input is no failure.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

function signalGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch (error) {
    // Nothing is left of it.
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}

function environment(): Record<string, string> {
  return Object.fromEntries(
    VARIABLES.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
