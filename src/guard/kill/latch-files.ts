import { closeSync, constants, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../errors/workflow-error.ts';
import { syncFolder, writeDurably } from '../../protocol/durable-file.ts';
import { isKillScope, type KillScope, type KillSubject, scopesOver } from './kill-scope.ts';

export const KILL_MODES = ['stop', 'kill', 'quarantine'] as const;
/** stop: ends in good order. kill: at once. quarantine: frozen, evidence taken, then killed. */
export type KillMode = (typeof KILL_MODES)[number];

/** A tripped switch. */
export interface Latch {
  readonly scope: KillScope;
  readonly mode: KillMode;
  readonly reason: string;
  /** Who tripped it: `person NAME`, or `supervisor`. */
  readonly by: string;
  /** UTC ms. */
  readonly at: number;
}

/**
 * Latches as plain files, one a scope, named by the hash of the scope. They hold where the database is locked, full or
 * broken, and without a supervisor. That the file is there is what trips; what is in it only explains. Whatever keeps
 * us from seeing that it is not there counts as tripped.
 */
export function heldByFile(folder: string, subject: KillSubject): KillScope | null {
  return firstTripped(folder, scopesOver(subject));
}

export function isTripped(folder: string, scope: KillScope): boolean {
  return firstTripped(folder, [scope]) !== null;
}

/** The first of these scopes that has a file, whatever it is. A folder that cannot be looked into trips all of them. */
export function firstTripped(folder: string, scopes: readonly KillScope[]): KillScope | null {
  let names: readonly string[];
  try {
    // One look for all: this stands before every effect.
    names = readdirSync(folder);
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? null : (scopes[0] ?? null);
  }
  if (names.length === 0) return null;
  return scopes.find((scope) => names.includes(fileName(scope))) ?? null;
}

/** Durable when it returns. A latch that is there already is kept as it is. On a full disk the file may be empty. */
export function writeLatch(folder: string, latch: Latch): void {
  const file = join(folder, fileName(latch.scope));
  if (readLatch(file) !== null) return;
  try {
    writeDurably(file, `${JSON.stringify(latch)}\n`);
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
    // A name finds room where a text finds none, and trips.
    const { O_WRONLY, O_CREAT, O_NOFOLLOW } = constants;
    closeSync(openSync(file, O_WRONLY | O_CREAT | O_NOFOLLOW, 0o600));
    syncFolder(folder);
  }
}

export function removeLatch(folder: string, scope: KillScope): void {
  rmSync(join(folder, fileName(scope)), { force: true, recursive: true });
  syncFolder(folder);
}

export interface LatchFile {
  /** The hash of its scope. */
  readonly name: string;
  /** Null when it cannot be read: it holds the scope whose hash it is. */
  readonly latch: Latch | null;
}

/** What is in the folder. Throws when that cannot be listed. */
export function listLatches(folder: string): LatchFile[] {
  return readdirSync(folder)
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .map((name) => {
      const latch = readLatch(join(folder, name));
      // A text that speaks of another scope than the name, or of what is none, says nothing.
      const isSound = latch !== null && fileName(latch.scope) === name && isKillScope(latch.scope);
      return { name, latch: isSound ? latch : null };
    });
}

/** node:crypto is loaded at the first name that is asked for: without a tripped switch an instance starts a tenth faster. */
export function fileName(scope: KillScope): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(scope).digest('hex');
}

/** A pipe is not waited for. */
const READING = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

function readLatch(file: string): Latch | null {
  try {
    const raw: unknown = JSON.parse(readFileSync(file, { encoding: 'utf8', flag: READING }));
    return isLatch(raw) ? raw : null;
  } catch {
    // Missing, unreadable or cut off: the caller looks at the name, which is what counts.
    return null;
  }
}

function isLatch(raw: unknown): raw is Latch {
  if (typeof raw !== 'object' || raw === null) return false;
  const { scope, mode, reason, by, at } = raw as Record<string, unknown>;
  return (
    typeof scope === 'string' &&
    KILL_MODES.some((known) => known === mode) &&
    typeof reason === 'string' &&
    typeof by === 'string' &&
    typeof at === 'number'
  );
}
