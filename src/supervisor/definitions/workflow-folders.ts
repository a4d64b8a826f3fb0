/** Which definitions lie in the folders of a caller. Loads none: it is also used where only names are wanted. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readRegularFile } from '../../definition/regular-file.ts';
import { systemCode, WorkflowError } from '../../errors/workflow-error.ts';
import type { Caller } from '../../protocol/caller.ts';
import type { WorkflowSummary } from '../../protocol/workflow-control.ts';
import { takeBreaths } from '../breaths.ts';

/** A definition that was found, not loaded yet. */
export interface WorkflowSource {
  readonly kind: WorkflowSummary['source'];
  readonly file: string;
  /** Present for a registered one: its text as it was registered. */
  readonly text: string | null;
}

/** Larger files are no workflows: refuse before reading them into memory. */
export const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** A larger file goes by its own name, whatever name is in it: to look into one of the largest takes seconds. */
const MAX_NAMED_BYTES = 1024 * 1024;

/** Where definitions are looked for, in this order. */
export function workflowFolders(caller: Caller): { kind: 'workspace' | 'user'; folder: string }[] {
  return [
    { kind: 'workspace', folder: join(caller.workspace, '.amazonq', 'workflows') },
    { kind: 'user', folder: join(caller.userHome, '.aws', 'amazonq', 'workflows') },
  ];
}

/**
 * The JSON files of the workflow folders, each with the name that is in it (else its file name). They are read one by
 * one, with room between for what else is to be done: a step may have filled the folder of its workspace.
 */
export async function* folderSources(
  caller: Caller,
): AsyncGenerator<WorkflowSource & { kind: 'workspace' | 'user'; name: string }> {
  const breath = takeBreaths();
  for (const { kind, folder } of workflowFolders(caller))
    for (const file of jsonFiles(folder)) {
      yield { kind, file, text: null, name: nameIn(file) };
      await breath();
    }
}

function jsonFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw new WorkflowError('WORKFLOW_NOT_FOUND', `cannot read the folder ${folder}: ${code}`, {
      cause: error,
    });
  }
}

function nameIn(file: string): string {
  const fallback = file.slice(file.lastIndexOf('/') + 1, -'.json'.length);
  try {
    const parsed: unknown = JSON.parse(readRegularFile(file, MAX_NAMED_BYTES));
    const name = typeof parsed === 'object' && parsed !== null && 'name' in parsed ? parsed.name : null;
    return typeof name === 'string' ? name : fallback;
  } catch (error) {
    // A broken, unreadable or large file is listed under its file name, with its problems.
    if (error instanceof Error) return fallback;
    throw error;
  }
}
