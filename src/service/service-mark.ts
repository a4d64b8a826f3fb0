import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { systemCode } from '../errors/workflow-error.ts';
import type { Home } from '../protocol/home.ts';
import type { ServiceFacts } from '../protocol/service.ts';

/** A note in the state folder that its supervisor is a service: commands then start it there, not by themselves. */
export interface ServiceMark extends ServiceFacts {
  readonly file: string;
}

export function writeServiceMark(home: Home, mark: ServiceMark): void {
  const fresh = `${home.serviceFile}.new`;
  writeFileSync(fresh, JSON.stringify(mark), { mode: 0o600 });
  renameSync(fresh, home.serviceFile);
}

export function removeServiceMark(home: Home): void {
  rmSync(home.serviceFile, { force: true });
}

/** Null when there is none, it cannot be read, or the unit it names has been removed by hand. */
export function readServiceMark(home: Home): ServiceMark | null {
  const mark = readMark(home);
  return mark !== null && existsSync(mark.file) ? mark : null;
}

/** True for what an uninstall of this unit leaves that was cut short behind it: the note goes last. */
export function isMarked(home: Home, file: string): boolean {
  return readMark(home)?.file === file;
}

function readMark(home: Home): ServiceMark | null {
  try {
    // We wrote it, whole, into a folder that only we may enter.
    return JSON.parse(readFileSync(home.serviceFile, 'utf8')) as ServiceMark;
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) !== undefined) return null;
    throw error;
  }
}
