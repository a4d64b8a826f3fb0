/** How a supervisor is started, by whomever: a command, a person in the foreground, a service manager. */
import { programFile } from './install.ts';

/**
 * What its C library is told (mallopt(3)): one arena for its dozen threads, and freed memory given back. 5 MiB less
 * after a few runs; nothing in it allocates from several threads at once for long.
 */
export const DAEMON_ENVIRONMENT: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_TRIM_THRESHOLD_: '65536',
};

/** What its Node is told. */
export const DAEMON_FLAGS: readonly string[] = [
  '--no-warnings',
  // 7 MiB less than with 4 after a few runs; what the daemon allocates dies young in any case.
  '--max-semi-space-size=1',
  // V8's own threads: fewer hold less, and there is little for them to do.
  '--v8-pool-size=1',
];

/** File and arguments, without the environment. */
export function daemonCommand(words: readonly string[] = []): readonly [file: string, ...args: string[]] {
  return [process.execPath, ...DAEMON_FLAGS, programFile('supervisor/main'), ...words];
}
