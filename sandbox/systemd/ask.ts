import { execFile } from 'node:child_process';
import { ensureError } from '../../src/errors/workflow-error.ts';

/**
 * systemd answers in 0.3 s, in 8 s on an emulated machine with no processor to spare (measured); one that does not in
 * this time is taken for absent. Not shorter: without its scope a supervisor only observes limits as long as it lives.
 * Not longer: a command that starts the supervisor waits 30 s for it.
 */
export const SYSTEMD_TIMEOUT_MS = 10_000;

/** What a tool of systemd needs to reach it. */
export function busEnvironment(uid: number): Record<string, string> {
  const path = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
  // Set by a login; a command of cron or `su` lacks it, although a lingering systemd of the user may be there.
  return uid === 0
    ? path
    : { ...path, XDG_RUNTIME_DIR: process.env['XDG_RUNTIME_DIR'] ?? `/run/user/${uid}` };
}

export type Answer = { readonly output: string } | { readonly problem: string };

/** Runs a tool of systemd to its end. Never throws: the reason is in the answer. */
export function ask(file: string, args: readonly string[], uid: number): Promise<Answer> {
  return new Promise((resolve) => {
    const options = { env: busEnvironment(uid), timeout: SYSTEMD_TIMEOUT_MS, killSignal: 'SIGKILL' } as const;
    execFile(file, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ output: stdout.trim() });
      else resolve({ problem: stderr.trim().split('\n')[0] || ensureError(error).message });
    });
  });
}
