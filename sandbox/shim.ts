import { WorkflowError } from '../src/errors/workflow-error.ts';
import type { CommandSpec, LaunchPlan } from './isolation.ts';

/** Variable by which the processes of a scope are known where there are no cgroups. */
export const MARKER = 'Q_WORKFLOW_SCOPE';
/** Exit status of a shim that could not join its scope; 126 and 127 are those of `exec` in sh. */
export const EXIT_NOT_JOINED = 125;
/** What our shells call themselves in their messages. */
export const SHIM_NAME = 'q-workflow-shim';

/**
 * Writing `0` (not `$$`) to a v1 `tasks` or v2 `cgroup.threads` moves the single-threaded shim without the lock that
 * waits for an RCU grace period: 4 ms in all against 16 ms (kernel 6.18). `cgroup.threads` only works within a
 * threaded subtree; elsewhere it fails at once and `cgroup.procs` does it. Variables begin with `__q_` so that none
 * of the command's own is touched; PWD is set back because sh exports its own idea of it. `ulimit` sets soft and hard.
 */
const SCRIPT = `__q_n=$1; shift
while [ "$__q_n" -gt 0 ]; do echo 0 > "$1" || exit 125; shift; __q_n=$((__q_n-1)); done
if [ -n "$1" ]; then { echo 0 > "$1/cgroup.threads"; } 2>/dev/null || echo 0 > "$1/cgroup.procs" || exit 125; fi
if [ -n "$2" ]; then { echo "$2" > /proc/self/oom_score_adj; } 2>/dev/null; fi
if [ -n "$3" ]; then PWD=$3; else unset PWD; fi
if [ -n "$4" ]; then ulimit -c 0; ulimit -n "$4" 2>/dev/null; fi
shift 4
exec "$@"`;

/** Names that sh itself changes or refuses; a command cannot get them through it unharmed. */
const SHELL_OWN = new Set(['IFS', 'OPTIND', 'PPID']);

/** What a shim has to join. */
export interface JoinPlan {
  /** v1 `tasks` files. */
  readonly tasks: readonly string[];
  /** Folder in the cgroup2 tree, or null. */
  readonly unified: string | null;
  /** Written to oom_score_adj; null leaves it. */
  readonly oomScore: number | null;
}

/** Wraps a command in a shell that joins the scope, then becomes the command with the same pid. */
export function shimPlan(command: CommandSpec, marker: string, join: JoinPlan): LaunchPlan {
  checkEnvironment(command.env);
  const env = { ...command.env, [MARKER]: marker };
  const head = [String(join.tasks.length), ...join.tasks, join.unified ?? ''];
  const openFiles = command.limits === undefined ? '' : String(command.limits.openFiles);
  const args = [
    ...head,
    join.oomScore === null ? '' : String(join.oomScore),
    command.env.PWD ?? '',
    openFiles,
  ];
  return {
    file: '/bin/sh',
    args: ['-c', SCRIPT, SHIM_NAME, ...args, command.file, ...command.args],
    cwd: command.cwd,
    env,
  };
}

const NOTHING_TO_JOIN: JoinPlan = { tasks: [], unified: null, oomScore: null };

/** The command with its marker, for backends that have nothing to join; a shell comes in between only for limits. */
export function barePlan(command: CommandSpec, marker: string): LaunchPlan {
  if (command.limits !== undefined) return shimPlan(command, marker, NOTHING_TO_JOIN);
  checkEnvironment(command.env);
  return { ...command, env: { ...command.env, [MARKER]: marker } };
}

/**
 * What a shim that never became its command says by exit status and stderr, or null when the command itself ended.
 * A command may use 125 to 127 too: only with the name of the shim on stderr is it ours.
 */
export function shimFailure(
  exitCode: number | null,
  stderr: string,
): 'not-joined' | 'not-executable' | 'not-found' | null {
  if (!stderr.includes(`${SHIM_NAME}: `)) return null;
  if (exitCode === EXIT_NOT_JOINED) return 'not-joined';
  if (exitCode === 126) return 'not-executable';
  if (exitCode === 127) return 'not-found';
  return null;
}

function checkEnvironment(env: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(env)) {
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !SHELL_OWN.has(name) && !name.startsWith('__q_')) continue;
    throw new WorkflowError(
      'SPAWN_FAILED',
      `The environment variable "${name}" cannot be given to a command.`,
      {
        hint: `Use a name of letters, digits and _ that is none of ${[...SHELL_OWN].join(', ')}.`,
      },
    );
  }
}
