/**
 * Every error code of the product, in one table: its exit status, whether trying again may help, and the next
 * thing a person can do. `docs/errors.md` is generated from it and a test compares the two.
 */

/** What a command answers to its caller; documented in the README and in DESIGN section 7. */
export const EXIT = {
  COMPLETED: 0,
  FAILED: 1,
  USAGE: 2,
  INVALID: 3,
  NOT_FOUND: 4,
  UNREACHABLE: 5,
  REFUSED: 6,
  STOPPED: 7,
  LIMIT: 8,
  BUG: 70,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** One row of the table. `hint` may hold `{name}` places that the thrower fills from the error's details. */
export interface ErrorRow {
  readonly exit: ExitStatus;
  /** True when the same request may succeed later without a change by a person. */
  readonly isRetryable: boolean;
  readonly meaning: string;
  readonly hint: string;
}

const row = (exit: ExitStatus, retry: 'retryable' | 'terminal', meaning: string, hint: string): ErrorRow => ({
  exit,
  isRetryable: retry === 'retryable',
  meaning,
  hint,
});

export const ERROR_TABLE = {
  // usage and files
  USAGE: row(EXIT.USAGE, 'terminal', 'The command line is not understood.', 'Run the command with --help.'),
  INPUT_INVALID: row(
    EXIT.USAGE,
    'terminal',
    'An input or context value given for a run is missing, unknown or of the wrong type.',
    'Run q workflow show <name> to see the declared inputs.',
  ),
  DEFINITION_INVALID: row(
    EXIT.INVALID,
    'terminal',
    'The workflow file breaks the schema or its rules.',
    'Mend the places named, then run q workflow validate <file>.',
  ),
  ANSWERS_INVALID: row(
    EXIT.INVALID,
    'terminal',
    'A file of answers for create cannot be read or has a value of the wrong kind.',
    'Mend the places named; docs/create.md shows the form.',
  ),
  FILE_EXISTS: row(
    EXIT.USAGE,
    'terminal',
    'A file that would be written is there already.',
    'Add --force to replace it, or name another file with --file.',
  ),
  FILE_UNWRITABLE: row(
    EXIT.FAILED,
    'terminal',
    'A file of a workflow or a skill cannot be written.',
    'Look at the rights of its folder, or name another file with --file.',
  ),
  NO_DRAFT: row(
    EXIT.FAILED,
    'retryable',
    'The model made no valid draft of a workflow.',
    'Try again, or leave --draft away and answer the questions.',
  ),
  WORKFLOW_NOT_FOUND: row(
    EXIT.NOT_FOUND,
    'terminal',
    'No workflow has that name, and no file is at that path.',
    'Run q workflow list to see the workflows found from here.',
  ),
  VERSION_NOT_FOUND: row(
    EXIT.NOT_FOUND,
    'terminal',
    'The registered workflow has no such version.',
    'Run q workflow list <name> --versions to see those there are.',
  ),
  VERSION_AMBIGUOUS: row(
    EXIT.USAGE,
    'terminal',
    'Several registered versions of the workflow are what was given.',
    'Give the number of one: q workflow list <name> --versions shows them.',
  ),
  DEFINITION_MISMATCH: row(
    EXIT.INVALID,
    'terminal',
    'What the run has done already does not fit the new definition.',
    'Mend the places named in the definition, or start anew with q workflow run. See docs/engine.md.',
  ),
  NO_SCHEDULE: row(
    EXIT.NOT_FOUND,
    'terminal',
    'The workflow has no trigger of type schedule.',
    'Add one to its triggers; docs/workflow-file.md shows how.',
  ),
  FIRE_DECIDED: row(
    EXIT.REFUSED,
    'terminal',
    'That fire of a schedule has been decided already; it happens once.',
    'Run q workflow schedule list to see what became of it.',
  ),
  INSTANCE_NOT_FOUND: row(
    EXIT.NOT_FOUND,
    'terminal',
    'No instance has that id or prefix.',
    'Run q workflow status --all to see the instances, q workflow archive list to see older ones.',
  ),
  INSTANCE_AMBIGUOUS: row(
    EXIT.USAGE,
    'terminal',
    'More than one instance begins with that prefix.',
    'Give more characters of the id.',
  ),
  STEP_NOT_FOUND: row(
    EXIT.NOT_FOUND,
    'terminal',
    'The instance has no step at that path.',
    'Run q workflow status <id> to see its steps.',
  ),
  ALREADY_ENDED: row(
    EXIT.USAGE,
    'terminal',
    'The instance has ended already.',
    'Run q workflow status <id> to see how it ended.',
  ),
  NOT_RESUMABLE: row(
    EXIT.USAGE,
    'terminal',
    'The instance is in a state that cannot be resumed.',
    'Run q workflow status <id>; completed instances are started anew with q workflow run.',
  ),
  PIN_CHANGED: row(
    EXIT.INVALID,
    'terminal',
    'The definition or a skill changed on disk since the instance began.',
    'Run q workflow resume <id> --pinned to go on with what it began with, --definition new with what is there now.',
  ),
  // supervisor and home
  SUPERVISOR_UNREACHABLE: row(
    EXIT.UNREACHABLE,
    'retryable',
    'The supervisor does not answer on its control socket.',
    'Run q workflow supervisor start; log/supervisor.log of the state folder says more.',
  ),
  SUPERVISOR_RUNNING: row(
    EXIT.UNREACHABLE,
    'terminal',
    'Another supervisor holds the lock of this home.',
    'Run q workflow supervisor status.',
  ),
  HOME_UNSAFE: row(
    EXIT.UNREACHABLE,
    'terminal',
    'The state folder has the wrong owner or permissions.',
    'Make it yours alone: chmod 700 <folder>.',
  ),
  HOME_UNWRITABLE: row(
    EXIT.UNREACHABLE,
    'terminal',
    'The state folder cannot be written.',
    'Check the disk and the permissions, or set Q_WORKFLOW_HOME to another folder.',
  ),
  HOME_LOST: row(
    EXIT.UNREACHABLE,
    'terminal',
    'The state folder was removed or replaced under a running supervisor.',
    'Put it back where it was, then: q workflow supervisor start.',
  ),
  AUDIT_KEY: row(
    EXIT.UNREACHABLE,
    'terminal',
    'The key that signs the audit log cannot be read or made.',
    'The folder keys of the state folder is to be yours, mode 0700. A key that is damaged: put it back from a copy, or move it away, and a new one is made, which audit verify doubts. See docs/audit.md.',
  ),
  AUDIT_TAMPERED: row(
    EXIT.FAILED,
    'terminal',
    'A part of the audit log is not what was sealed, so it is not removed.',
    'Run q workflow audit verify, and keep a copy of the state folder.',
  ),
  RECORD_NOT_FOUND: row(
    EXIT.NOT_FOUND,
    'terminal',
    'The audit log has no record of that number, or no payload for it.',
    'Run q workflow audit list to see the newest records.',
  ),
  ARCHIVE_NOT_FOUND: row(
    EXIT.NOT_FOUND,
    'terminal',
    'No archived instance has an id that begins so.',
    'Run q workflow archive list to see them.',
  ),
  ARCHIVE_DAMAGED: row(
    EXIT.UNREACHABLE,
    'terminal',
    'The archive of an instance is not whole, or not what was archived.',
    'Nothing was changed. Put back a copy of the file, or remove it by q workflow archive prune.',
  ),
  STORE_CORRUPT: row(
    EXIT.UNREACHABLE,
    'terminal',
    'The database of the state folder is damaged or is not ours.',
    'Run q workflow supervisor restore <backup>, or move the file away; nothing was changed.',
  ),
  STORE_NEWER: row(
    EXIT.UNREACHABLE,
    'terminal',
    'The database of the state folder was written by a newer version of q workflow.',
    'Run the newer version: nothing is wrong with the database, and nothing was changed. q workflow version says what this one is.',
  ),
  STORE_BUSY: row(
    EXIT.UNREACHABLE,
    'retryable',
    'Another program keeps the database of the state folder locked.',
    'End what has it open, such as sqlite3 or a backup; running instances wait and go on by themselves.',
  ),
  OUTPUT_FAILED: row(
    EXIT.UNREACHABLE,
    'terminal',
    'What a command prints could not be written, for a full disk or a failing device behind it.',
    'Free space, or send the output elsewhere; what the command did is done.',
  ),
  STORE_FULL: row(
    EXIT.UNREACHABLE,
    'retryable',
    'The state folder has no space left.',
    'Free space on the disk; running instances wait and go on by themselves.',
  ),
  PROTOCOL: row(
    EXIT.BUG,
    'terminal',
    'A message between our own processes was not understood.',
    'Run q workflow supervisor stop, then start it from the same version as the command.',
  ),
  SHUTTING_DOWN: row(
    EXIT.UNREACHABLE,
    'retryable',
    'The supervisor is stopping and takes no new work.',
    'Try again in a moment.',
  ),
  // guard and isolation
  APPROVAL_DENIED: row(
    EXIT.REFUSED,
    'terminal',
    'A person denied it, nobody approved it in time, or nobody could be asked.',
    'Run q workflow approvals --all to see who decided and why; where nobody could be asked, run --approvals wait asks.',
  ),
  APPROVAL_NOT_FOUND: row(
    EXIT.NOT_FOUND,
    'terminal',
    'Nothing of that run waits for a decision under that number or call.',
    'Run q workflow approvals to see what waits.',
  ),
  APPROVAL_AMBIGUOUS: row(
    EXIT.USAGE,
    'terminal',
    'More than one call of the run waits for a decision.',
    'Name one: q workflow approve <id> <number>; q workflow approvals shows them.',
  ),
  APPROVAL_CLOSED: row(
    EXIT.USAGE,
    'terminal',
    'It has been decided already, or its time is over.',
    'Run q workflow approvals --all to see what became of it.',
  ),
  APPROVAL_NOT_YOURS: row(
    EXIT.REFUSED,
    'terminal',
    'Its rule or step names others who may decide.',
    'Ask one of them; q workflow approvals names them.',
  ),
  POLICY_DENIED: row(
    EXIT.REFUSED,
    'terminal',
    'A policy refused the action.',
    'Run q workflow audit list --instance <id> --type permit.decided to see the rule.',
  ),
  KILL_SWITCH: row(
    EXIT.REFUSED,
    'terminal',
    'A kill switch is tripped for it.',
    'Run q workflow kill status to see it; a person re-arms it with q workflow rearm.',
  ),
  NOT_TRIPPED: row(
    EXIT.NOT_FOUND,
    'terminal',
    'No kill switch of that scope is tripped.',
    'Run q workflow kill status to see those that are.',
  ),
  POLICY_INVALID: row(
    EXIT.INVALID,
    'terminal',
    'A policy file breaks its schema, its owner or permissions are wrong, or one of its own tests fails.',
    'Mend the places named, then run q workflow policy check <file>. Until then its layer denies everything.',
  ),
  POLICY_NOT_FOUND: row(
    EXIT.NOT_FOUND,
    'terminal',
    'There is no policy file at that path.',
    'Name an existing file, or leave --policy out to use the policies that hold here.',
  ),
  TIER_NOT_GRANTED: row(
    EXIT.REFUSED,
    'terminal',
    'A file asks for a laxer tier than its step may have, and nothing grants it.',
    'Take the tier out of the file, ask for a stricter one, or have a policy grant it (its "tiers").',
  ),
  ISOLATION_MISSING: row(
    EXIT.REFUSED,
    'terminal',
    'A layer of isolation that the workflow requires is not there.',
    'Run q workflow doctor to see what to install.',
  ),
  WORKSPACE_UNSAFE: row(
    EXIT.REFUSED,
    'terminal',
    'A link that another user made, or that leads to private files, stands in the place of the workspace.',
    'Look at who made the link, then name the folder itself as workspace.',
  ),
  SCOPE_FAILED: row(
    EXIT.FAILED,
    'retryable',
    'The cgroup or process scope of an instance or step could not be made.',
    'Run q workflow doctor.',
  ),
  CAPACITY: row(
    EXIT.LIMIT,
    'terminal',
    'The workflow asks for more than this machine has.',
    'Lower resource_limits.max_memory_mb, or run it on a larger machine.',
  ),
  // skills and steps
  SKILL_NOT_FOUND: row(
    EXIT.INVALID,
    'terminal',
    'A step names a skill that is in none of the skill folders.',
    'Put the skill into .q-skills/ of the workspace, or mend the name.',
  ),
  AGENT_NOT_FOUND: row(
    EXIT.INVALID,
    'terminal',
    'A step names an agent that is in none of the agent folders.',
    'Put the agent file into .amazonq/cli-agents/ or .kiro/agents/ of the workspace, or mend the name.',
  ),
  NO_SUCH_SKILL: row(
    EXIT.NOT_FOUND,
    'terminal',
    'No skill of that name, or no such file, is found from here.',
    'Run q workflow skills list to see those found from here.',
  ),
  NO_SUCH_AGENT: row(
    EXIT.NOT_FOUND,
    'terminal',
    'No agent of that name, or no such file, is found from here.',
    'Run q workflow agents list to see those found from here.',
  ),
  SKILL_INVALID: row(EXIT.INVALID, 'terminal', 'A skill file is not valid.', 'Mend the places named.'),
  AGENT_INVALID: row(
    EXIT.INVALID,
    'terminal',
    'An agent file is not valid.',
    'Mend the places named; docs/agents.md describes the files.',
  ),
  MODEL_NOT_CONFIGURED: row(
    EXIT.INVALID,
    'terminal',
    'A step needs a model, and none is configured, or its key is missing.',
    'Name one in ~/.config/q-workflow/config.json, or set Q_WORKFLOW_MODEL and a key; see docs/agents.md.',
  ),
  MODEL_FAILED: row(
    EXIT.FAILED,
    'retryable',
    'The model of an agent could not be reached, refused, or broke off its answer.',
    'Read the message; q workflow resume <id> goes on.',
  ),
  MCP_FAILED: row(
    EXIT.FAILED,
    'retryable',
    'An MCP server of an agent could not be started, or ended again and again.',
    'Read its output: q workflow logs <id> --step <path>; check command, args and env in the agent file.',
  ),
  AGENT_LIMIT: row(
    EXIT.FAILED,
    'terminal',
    'An agent reached a limit of its guardrails before it had an answer.',
    'Raise that limit in guardrails of the step, or give the agent less to do.',
  ),
  AGENT_STUCK: row(
    EXIT.FAILED,
    'terminal',
    'An agent repeated itself, or its tool calls were refused or failed again and again.',
    'Read its calls: q workflow logs <id> --step <path>.',
  ),
  AGENT_FAILED: row(
    EXIT.FAILED,
    'retryable',
    'The program of an agent ended early, did not answer, or broke the protocol.',
    'Read its output: q workflow logs <id> --step <path>; check that the program and its key work.',
  ),
  AGENT_VIOLATION: row(
    EXIT.FAILED,
    'terminal',
    'An agent ran a tool without permission, or left its mode; it was killed.',
    'Read what it did: q workflow audit list --type agent.violated. Look at the workspace before you go on.',
  ),
  PARAMETER_INVALID: row(
    EXIT.FAILED,
    'terminal',
    'A step gave its skill a parameter of the wrong type, or left a required one out.',
    'Compare the inputs of the step with the parameters of the skill.',
  ),
  REFERENCE_MISSING: row(
    EXIT.FAILED,
    'terminal',
    'A reference names a field that the result does not have.',
    'Look at the outputs of the step it names; a text that only looks like a reference is written {"literal": …}.',
  ),
  EXPRESSION_FAILED: row(
    EXIT.FAILED,
    'terminal',
    'An expression could not be evaluated.',
    'Mend the expression; q workflow status <id> shows the values.',
  ),
  SPAWN_FAILED: row(
    EXIT.FAILED,
    'terminal',
    'The command of a step could not be started.',
    'Check that it exists and may be executed.',
  ),
  SANDBOX_FAILED: row(
    EXIT.FAILED,
    'terminal',
    'The sandbox of a step could not be made; its command did not run.',
    'Run q workflow doctor; the message names the layer and what it said.',
  ),
  EXIT_NONZERO: row(
    EXIT.FAILED,
    'retryable',
    'The command of a step ended with a non-zero exit code.',
    'Read its output: q workflow logs <id> --step <path>.',
  ),
  SIGNALLED: row(
    EXIT.FAILED,
    'retryable',
    'The command of a step was ended by a signal.',
    'Read its output: q workflow logs <id> --step <path>.',
  ),
  STEP_TIMEOUT: row(
    EXIT.FAILED,
    'retryable',
    'A step ran longer than its timeout; its processes were killed.',
    'Raise the timeout of the step, or see why it hangs.',
  ),
  STEP_OOM: row(
    EXIT.FAILED,
    'retryable',
    'A step was killed because it used all the memory of its limit.',
    'Raise resource_limits.max_memory_mb, or use less memory.',
  ),
  OUTPUT_MISSING: row(
    EXIT.FAILED,
    'terminal',
    'A step did not give an output that it declares.',
    'Make the skill print a JSON object with that field, or drop the output.',
  ),
  OUTPUT_INVALID: row(
    EXIT.FAILED,
    'terminal',
    'A session or tool answered in a form that is not understood.',
    'Read its output: q workflow logs <id> --step <path>.',
  ),
  VALUE_TOO_LARGE: row(
    EXIT.FAILED,
    'terminal',
    'The inputs, the result or a context value of a step are too large to be kept.',
    'Write large data to a file in the workspace and hand on its path.',
  ),
  SESSION_CLOSED: row(
    EXIT.FAILED,
    'retryable',
    'The process of a code_session ended before it answered.',
    'Read its output: q workflow logs <id> --step <path>.',
  ),
  SESSION_LIMIT: row(
    EXIT.FAILED,
    'retryable',
    'All sessions that the skill allows are busy.',
    'Raise session_config.max_sessions, or run fewer steps at once.',
  ),
  CONTEXT_WRITE_DENIED: row(
    EXIT.FAILED,
    'terminal',
    'A step wrote a context value that it may not write.',
    'Add the step to context.access of that name.',
  ),
  LOOP_LIMIT: row(
    EXIT.FAILED,
    'terminal',
    'A loop reached max_iterations while its condition was still true.',
    'Raise max_iterations, or set "on_limit": "continue".',
  ),
  BRANCH_FAILED: row(
    EXIT.FAILED,
    'terminal',
    'No branch of a parallel group with wait_for any succeeded.',
    'Look at the errors of the branches.',
  ),
  INTERRUPTED: row(
    EXIT.FAILED,
    'retryable',
    'A step was in flight when its instance ended, and on_resume says fail.',
    'Resume the instance to run the step again.',
  ),
  SECRET_MISSING: row(
    EXIT.FAILED,
    'terminal',
    'A step asks for a secret that is not stored.',
    'Put its value into the file secrets/<NAME> of the state folder, mode 0600.',
  ),
  HANDLER_FAILED: row(
    EXIT.FAILED,
    'terminal',
    'The custom error handler of a step failed too.',
    'Look at the error of the handler.',
  ),
  // the service
  SERVICE_UNAVAILABLE: row(
    EXIT.UNREACHABLE,
    'terminal',
    'There is no service manager here that could run the supervisor.',
    'Run it without one: q workflow supervisor start (run starts it by itself). q workflow doctor says more.',
  ),
  SERVICE_FAILED: row(
    EXIT.UNREACHABLE,
    'retryable',
    'The service manager could not do what it was asked.',
    'Read what it says: systemctl status (with --user for a service of yours), journalctl -e.',
  ),
  SERVICE_FOREIGN: row(
    EXIT.REFUSED,
    'terminal',
    'A unit of that name is there that we did not write.',
    'Move it away, then try again.',
  ),
  SERVICE_NOT_FOUND: row(
    EXIT.NOT_FOUND,
    'terminal',
    'No service is installed for this state folder.',
    'q workflow supervisor install makes one; Q_WORKFLOW_HOME names another state folder.',
  ),
  PURGE_REFUSED: row(
    EXIT.REFUSED,
    'terminal',
    'The data is not removed while an instance has not ended.',
    'End them: q workflow supervisor stop --instances stop, then uninstall again.',
  ),
  // ends of an instance
  STOPPED: row(
    EXIT.STOPPED,
    'terminal',
    'The instance was stopped by a person.',
    'q workflow resume <id> goes on.',
  ),
  KILLED: row(EXIT.STOPPED, 'terminal', 'The instance was killed.', 'q workflow resume <id> goes on.'),
  TIME_LIMIT: row(
    EXIT.LIMIT,
    'terminal',
    'The instance ran longer than max_execution_time.',
    'Raise resource_limits.max_execution_time.',
  ),
  MEMORY_LIMIT: row(
    EXIT.LIMIT,
    'terminal',
    'The instance process itself was killed for memory.',
    'Raise resource_limits.max_memory_mb.',
  ),
  PROCESS_LIMIT: row(
    EXIT.LIMIT,
    'retryable',
    'A process could not be started because max_processes was reached.',
    'Raise resource_limits.max_processes.',
  ),
  DISK_LIMIT: row(
    EXIT.LIMIT,
    'terminal',
    'The scratch folder of the instance grew over max_disk_mb.',
    'Raise resource_limits.max_disk_mb, or let the steps keep less in TMPDIR.',
  ),
  SUPERVISOR_LOST: row(
    EXIT.FAILED,
    'retryable',
    'The instance had no supervisor for too long and ended its steps.',
    'q workflow resume <id> goes on.',
  ),
  CRASH_LOOP: row(
    EXIT.FAILED,
    'terminal',
    'The instance process died again and again without finishing a step.',
    'Read instances/<id>/host-*.log in the state folder, mend the cause, then q workflow resume <id>.',
  ),
  INSTANCE_START: row(
    EXIT.FAILED,
    'retryable',
    'The process of the instance did not report in time after its start.',
    'Check max_processes and max_memory_mb; then q workflow resume <id>.',
  ),
  INTERNAL: row(
    EXIT.BUG,
    'terminal',
    'Something happened that should be impossible.',
    'Please report it with log/supervisor.log of the state folder (of a service: journalctl -u q-workflow).',
  ),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_TABLE;

/** True when `code` is a row of the table. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_TABLE, code);
}
