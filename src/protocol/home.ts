import { accessSync, chmodSync, constants, existsSync, lstatSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ensureError, systemCode, WorkflowError } from '../errors/workflow-error.ts';

/** The state folder of one user's supervisor and the places in it. */
export interface Home {
  readonly folder: string;
  readonly controlSocket: string;
  readonly instanceSocket: string;
  /** Held by the supervisor while it runs. */
  readonly lockFile: string;
  /** Held by the command that starts a supervisor, until it is ready. */
  readonly startLockFile: string;
  readonly database: string;
  readonly logFolder: string;
  readonly instancesFolder: string;
  readonly spoolFile: string;
  readonly secretsFolder: string;
  /** Tripped kill switches, a plain file each. */
  readonly killFolder: string;
  /** The key that signs the audit log; no step sees it. */
  readonly keysFolder: string;
  /** When the kill switch was last drilled. */
  readonly drillFile: string;
  /** Says that the supervisor is a service. */
  readonly serviceFile: string;
  /** Notifications that are still to be delivered. */
  readonly notificationsFile: string;
  /** Copies of the database; made when the first one is. */
  readonly backupsFolder: string;
  /** Packed instances, a file each; made when the first one is. */
  readonly archiveFolder: string;
  /** Conversations of `create` and `edit` that were left; made when the first one is. */
  readonly draftsFolder: string;
}

/** Where a service of the whole machine keeps its state. */
export const SYSTEM_HOME = '/var/lib/q-workflow';
const SERVICE_FILE = 'service.json';

/** The longest path a unix socket may have (sun_path, unix(7)), less the NUL. */
const MAX_SOCKET_PATH = 107;

/**
 * Finds the state folder: `Q_WORKFLOW_HOME`, for root that of a system service where one is installed, else
 * `q-workflow` in the XDG state folder.
 */
export function locateHome(env: NodeJS.ProcessEnv = process.env): Home {
  const folder = resolve(
    env['Q_WORKFLOW_HOME'] ||
      systemHome(env) ||
      join(env['XDG_STATE_HOME'] || join(env['HOME'] || homedir(), '.local', 'state'), 'q-workflow'),
  );
  const home: Home = {
    folder,
    controlSocket: join(folder, 'control.sock'),
    instanceSocket: join(folder, 'instance.sock'),
    lockFile: join(folder, 'lock.db'),
    startLockFile: join(folder, 'start-lock.db'),
    database: join(folder, 'q-workflow.db'),
    logFolder: join(folder, 'log'),
    instancesFolder: join(folder, 'instances'),
    spoolFile: join(folder, 'spool.jsonl'),
    secretsFolder: join(folder, 'secrets'),
    killFolder: join(folder, 'kill'),
    keysFolder: join(folder, 'keys'),
    drillFile: join(folder, 'kill-drill.json'),
    serviceFile: join(folder, SERVICE_FILE),
    notificationsFile: join(folder, 'notifications.json'),
    backupsFolder: join(folder, 'backups'),
    archiveFolder: join(folder, 'archive'),
    draftsFolder: join(folder, 'drafts'),
  };
  if (Buffer.byteLength(home.instanceSocket) > MAX_SOCKET_PATH)
    throw new WorkflowError(
      'HOME_UNSAFE',
      `the state folder ${folder} has too long a path: a socket in it would pass ${MAX_SOCKET_PATH} bytes`,
      { hint: 'Set Q_WORKFLOW_HOME to a shorter path.' },
    );
  return home;
}

function systemHome(env: NodeJS.ProcessEnv): string | null {
  if (process.getuid?.() !== 0 || (env['XDG_STATE_HOME'] ?? '') !== '') return null;
  return existsSync(join(SYSTEM_HOME, SERVICE_FILE)) ? SYSTEM_HOME : null;
}

/** The instance's own folder below the home. Flat: everything of an instance lies directly in it. */
export function instanceFolder(home: Home, id: string): string {
  return join(home.instancesFolder, id);
}

/**
 * Makes the state folder when it is missing (mode 0700) and refuses one that others own or may enter.
 * Throws HOME_UNSAFE or HOME_UNWRITABLE; never changes a folder that was there.
 */
export function prepareHome(home: Home): void {
  try {
    makePrivateFolder(home.folder);
    checkPrivate(home.folder);
    // Said here because making a folder on a read-only file system fails with a misleading ENOENT.
    checkWritable(home);
    const inner = [
      home.logFolder,
      home.instancesFolder,
      home.secretsFolder,
      home.killFolder,
      home.keysFolder,
    ];
    for (const folder of inner) {
      makePrivateFolder(folder);
      checkPrivate(folder);
    }
  } catch (error) {
    throw unusable(home, error);
  }
}

/** What a system error in the state folder means to a person: STORE_FULL or HOME_UNWRITABLE. */
export function unusable(home: Home, error: unknown): WorkflowError {
  if (error instanceof WorkflowError) return error;
  const code = systemCode(error) ?? ensureError(error).message;
  return new WorkflowError(
    code === 'ENOSPC' || code === 'EDQUOT' ? 'STORE_FULL' : 'HOME_UNWRITABLE',
    `cannot use the state folder ${home.folder}: ${code}`,
    { cause: error },
  );
}

/** Refuses a state folder that others could enter; a missing one is fine. Cheap: one lstat. */
export function checkHome(home: Home): void {
  try {
    checkPrivate(home.folder);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return;
    throw code === undefined ? error : unusable(home, error);
  }
}

/** Refuses a state folder that we cannot write into; a missing one is fine. Throws HOME_UNWRITABLE. */
export function checkWritable(home: Home): void {
  try {
    accessSync(home.folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw unusable(home, error);
  }
}

function makePrivateFolder(folder: string): void {
  if (makeFolder(folder)) chmodSync(folder, 0o700);
}

/**
 * Makes a folder with its parents; false when something of that name is there. Not by the `recursive` of mkdirSync:
 * where mkdir(2) says ENOENT below a folder that exists, as in /proc, it tries again for ever (Node 24.21).
 */
function makeFolder(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return false;
    const parent = dirname(folder);
    if (code !== 'ENOENT' || existsSync(parent)) throw error;
    makeFolder(parent);
    return makeFolder(folder);
  }
}

function checkPrivate(folder: string): void {
  const stat = lstatSync(folder);
  const uid = process.getuid?.();
  const other = 'et Q_WORKFLOW_HOME to a folder of your own.';
  const refuse = (
    why: string,
    hint = `Run: chmod 700 ${folder} (and chown it to yourself), or s${other}`,
  ): never => {
    throw new WorkflowError('HOME_UNSAFE', `the state folder ${folder} ${why}`, { hint });
  };
  // Nobody shall change the mode of /dev/null because we said so.
  if (!stat.isDirectory()) refuse('is not a folder', `S${other}`);
  if (uid !== undefined && stat.uid !== uid) refuse(`belongs to user ${stat.uid}, not to you (${uid})`);
  if ((stat.mode & 0o077) !== 0) refuse(`may be entered by others (mode ${(stat.mode & 0o777).toString(8)})`);
}
