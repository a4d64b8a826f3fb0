import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { systemCode, WorkflowError } from '../errors/workflow-error.ts';
import { MARK } from './spec.ts';

const UNFINISHED = '.new';

/** The text of our unit; null when there is none. Throws SERVICE_FOREIGN for a file that we did not write. */
export function readUnit(file: string): string | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw unusable(file, error);
  }
  if (!text.includes(MARK))
    throw new WorkflowError('SERVICE_FOREIGN', `${file} was not written by q workflow supervisor install`, {
      hint: `Move it away (and stop what it runs), then try again.`,
      details: { file },
    });
  return text;
}

/** Replaces the file as a whole: a manager never reads half of it. */
export function writeUnit(file: string, text: string): void {
  const fresh = `${file}${UNFINISHED}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    const descriptor = openSync(fresh, 'w', 0o644);
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw unusable(file, error);
  }
}

/** With what a crash left of a replacement. */
export function removeUnit(file: string): void {
  try {
    for (const each of [file, `${file}${UNFINISHED}`]) rmSync(each, { force: true });
  } catch (error) {
    throw unusable(file, error);
  }
}

function unusable(file: string, error: unknown): WorkflowError {
  const code = systemCode(error);
  if (code === undefined) throw error;
  return new WorkflowError('SERVICE_FAILED', `cannot use ${file}: ${code}`, { cause: error });
}
