import { isAbsolute, resolve } from 'node:path';
import { sha256 } from '../../audit/canonical.ts';
import { loadWorkflow } from '../../definition/load.ts';
import type { Places } from '../../definition/places.ts';
import { readRegularBytes } from '../../definition/regular-file.ts';
import { decodeUtf8 } from '../../definition/utf8.ts';
import type { Workflow } from '../../definition/workflow.ts';
import { didYouMean, nearest } from '../../errors/nearest.ts';
import { ensureError, type Problem, systemCode, WorkflowError } from '../../errors/workflow-error.ts';
import type { Caller } from '../../protocol/caller.ts';
import type { WorkflowSummary } from '../../protocol/workflow-control.ts';
import type { Store } from '../../store/store.ts';
import { findVersion, parseAddress } from './find-version.ts';
import { nearestFile } from './nearest-file.ts';
import { folderSources, MAX_FILE_BYTES, type WorkflowSource, workflowFolders } from './workflow-folders.ts';

/**
 * Finds a definition by absolute path, by `name@version` among the registered ones, or by name: workspace, then user
 * folder, then registered ones.
 */
export async function findWorkflow(store: Store, target: string, caller: Caller): Promise<WorkflowSource> {
  if (isAbsolute(target)) return { kind: 'file', file: target, text: null };
  const address = parseAddress(target);
  if (address !== null) {
    const row = await findVersion(store, address.name, address.version);
    const text = await store.call('document.get', { hash: row.definitionHash });
    return { kind: 'registered', file: row.source, text };
  }
  const found: string[] = [];
  for await (const source of folderSources(caller)) {
    if (source.name === target) return source;
    found.push(source.name);
  }
  const row = await store.call('registration.get', { name: target });
  if (row !== null) {
    const text = await store.call('document.get', { hash: row.definitionHash });
    if (text !== null) return { kind: 'registered', file: row.source, text };
  }
  const registered = await store.call('registration.list', {});
  const names = [...found, ...registered.map(({ name }) => name)];
  const near = didYouMean(nearest(target, names) ?? nearestFile(resolve(caller.workspace, target)));
  throw new WorkflowError('WORKFLOW_NOT_FOUND', `no workflow is called "${target}"${near}`, {
    details: { searched: workflowFolders(caller).map(({ folder }) => folder) },
  });
}

export interface LoadedSource {
  readonly workflow: Workflow;
  readonly problems: readonly Problem[];
  readonly places: Places;
  readonly text: string;
  readonly hash: string;
}

/** Loads a found definition. Throws WORKFLOW_NOT_FOUND or DEFINITION_INVALID with all its problems. */
export async function loadSource(source: WorkflowSource): Promise<LoadedSource> {
  const text = source.text ?? readText(source.file);
  const { workflow, problems, places } = await loadWorkflow(text, { file: source.file });
  if (workflow === null) throw invalid(source.file, problems);
  return { workflow, problems, places, text, hash: sha256(text) };
}

function invalid(file: string, problems: readonly Problem[]): WorkflowError {
  return new WorkflowError('DEFINITION_INVALID', `${file} is not a valid workflow`, {
    problems,
    details: { file },
    about: { file },
  });
}

/** Every definition that can be run by name from here; broken files are in the list with their problems. */
export async function listWorkflows(
  registered: readonly WorkflowSummary[],
  caller: Caller,
): Promise<WorkflowSummary[]> {
  const found = new Map<string, WorkflowSummary>();
  const add = (summary: WorkflowSummary): void => {
    if (!found.has(summary.name)) found.set(summary.name, summary);
  };
  for await (const source of folderSources(caller)) add(await summarise(source, source.name));
  for (const summary of registered) add(summary);
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The line of a definition in the list. One that cannot be read or loaded is in it with its problems. */
export async function summarise(source: WorkflowSource, name: string): Promise<WorkflowSummary> {
  const { workflow, problems } = await tryLoad(source);
  return {
    name: workflow?.name ?? name,
    version: workflow?.version ?? '',
    description: workflow?.description ?? '',
    source: source.kind,
    file: source.file,
    is_valid: workflow !== null,
    problems,
  };
}

async function tryLoad(
  source: WorkflowSource,
): Promise<{ workflow: Workflow | null; problems: readonly Problem[] }> {
  let text: string;
  try {
    text = source.text ?? readText(source.file);
  } catch (error) {
    if (error instanceof WorkflowError && error.problems.length > 0)
      return { workflow: null, problems: error.problems };
    const problem: Problem = { severity: 'error', path: '$', message: ensureError(error).message };
    return { workflow: null, problems: [problem] };
  }
  return loadWorkflow(text, { file: source.file });
}

function readText(file: string): string {
  const text = decodeUtf8(readBytes(file));
  if (typeof text === 'string') return text;
  throw invalid(file, [{ ...text, message: `${file}: ${text.message}` }]);
}

function readBytes(file: string): Buffer {
  try {
    return readRegularBytes(file, MAX_FILE_BYTES);
  } catch (error) {
    const why =
      systemCode(error) === 'ENOENT'
        ? `there is no such file${didYouMean(nearestFile(file))}`
        : ensureError(error).message;
    throw new WorkflowError('WORKFLOW_NOT_FOUND', `cannot read ${file}: ${why}`, { cause: error });
  }
}
