import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { readRegularFile } from '../../../definition/regular-file.ts';
import { ensureError, type Problem, systemCode, WorkflowError } from '../../../errors/workflow-error.ts';
import { packageRoot } from '../../../protocol/install.ts';
import { type LoadedFile, loadPolicy } from '../load-policy.ts';
import { type Owner, ownershipFaults } from './ownership.ts';
import type { Layer } from './policy-file.ts';

/** The folders of this machine where policies are found. Absolute. */
export interface PolicyPlaces {
  readonly organisation: string;
  /** `${configHome}/q-workflow/policies`. */
  readonly user: string;
  readonly workspace: string;
}

/** A larger file is no policy; a pipe in its place would hold up every decision. */
const MAX_POLICY_BYTES = 5 * 1024 * 1024;

const ORGANISATION_FOLDER = '/etc/q-workflow/policies';

export function policyPlaces(workspace: string, configHome: string): PolicyPlaces {
  return {
    organisation: ORGANISATION_FOLDER,
    user: join(configHome, 'q-workflow', 'policies'),
    workspace: join(workspace, '.amazonq', 'policies'),
  };
}

/** Reads every policy file of these folders, in the order of their names. A folder that is missing has none. */
export async function findPolicies(places: PolicyPlaces): Promise<LoadedFile[]> {
  const folders: readonly (readonly [Layer, string, Owner])[] = [
    ['organisation', places.organisation, 'root'],
    ['user', places.user, 'user'],
    ['workspace', places.workspace, 'user'],
  ];
  const files: LoadedFile[] = [];
  for (const [layer, folder, owner] of folders)
    for (const file of policyFiles(folder)) {
      files.push(await readPolicy(file, layer, owner));
      // A step may have filled the folder of its workspace: others have their turn between.
      await setImmediate();
    }
  return files;
}

/** The file that stands in where neither an organisation nor a user has set policies. */
export function defaultPolicy(): Promise<LoadedFile> {
  // A file of this program, read once: compiling it takes 8 ms, and every run asks for it.
  shipped ??= loadShipped();
  return shipped;
}

let shipped: Promise<LoadedFile> | null = null;

async function loadShipped(): Promise<LoadedFile> {
  const file = join(packageRoot(), 'policies', 'default.json');
  const source = {
    text: readFileSync(file, 'utf8'),
    file,
    name: 'default',
    layer: 'organisation',
    faults: [],
  } as const;
  return await loadPolicy(source);
}

/** Reads files that somebody named. Each has the layer it gives itself, else `organisation`. Throws POLICY_NOT_FOUND. */
export async function readPolicies(files: readonly string[]): Promise<LoadedFile[]> {
  const loaded: LoadedFile[] = [];
  for (const file of files) {
    if (!existsSync(file))
      throw new WorkflowError('POLICY_NOT_FOUND', `there is no policy file ${file}`, { details: { file } });
    loaded.push(await readPolicy(file, null, 'user'));
  }
  return loaded;
}

function policyFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' && !isLink(folder) && !isLink(dirname(folder))) return [];
    // What cannot be looked at may hold rules: a file stands for it that cannot be read.
    return [folder];
  }
}

/** A link that leads nowhere now is no folder that nobody made. */
function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/** What cannot be read is a policy with a fault, so that its layer denies. */
async function readPolicy(file: string, layer: Layer | null, owner: Owner): Promise<LoadedFile> {
  const name = basename(file, '.json');
  let text = '{}';
  let faults: readonly Problem[];
  try {
    faults = ownershipFaults(file, owner);
    text = readRegularFile(file, MAX_POLICY_BYTES);
  } catch (error) {
    const message = `${file} cannot be read: ${ensureError(error).message}`;
    faults = [{ severity: 'error', path: '$', message }];
  }
  return await loadPolicy({ text, file, name, layer, faults });
}
