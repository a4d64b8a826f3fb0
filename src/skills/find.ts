import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readRegularBytes } from '../definition/regular-file.ts';
import { nearest } from '../errors/nearest.ts';
import { ensureError, systemCode } from '../errors/workflow-error.ts';
import { normaliseSkill } from './normalise.ts';
import type { Skill, SkillNote } from './skill.ts';

export interface SkillPlaces {
  readonly workspace: string;
  /** The person's home folder. */
  readonly home: string;
  /** XDG_CONFIG_HOME, or `~/.config`. */
  readonly configDir: string;
  /** The folder of the whole machine; only tests change it. */
  readonly systemDir?: string;
}

/** A larger file is no skill. */
const MAX_FILE_BYTES = 1024 * 1024;
/** Of one folder: a step may have filled that of its workspace, and who reads it is the supervisor of all runs. */
const MAX_FILES = 2000;
const MAX_FOLDER_BYTES = 16 * 1024 * 1024;

/** Skills that come with the product: none yet. Anything found on disk wins over them. */
const BUILT_IN: ReadonlyMap<string, Skill> = new Map();

/** All skills that can be named from a workspace. */
export class SkillCatalogue {
  readonly notes: readonly SkillNote[];
  readonly #byName: ReadonlyMap<string, Skill>;
  readonly #byAlias: ReadonlyMap<string, Skill>;

  constructor(
    byName: ReadonlyMap<string, Skill>,
    byAlias: ReadonlyMap<string, Skill>,
    notes: readonly SkillNote[],
  ) {
    this.#byName = byName;
    this.#byAlias = byAlias;
    this.notes = notes;
  }

  /** The skill of that name, else of that alias. It may be unusable: see its `problems`. */
  get(name: string): Skill | null {
    return this.#byName.get(name) ?? this.#byAlias.get(name) ?? null;
  }

  /** Every skill once, by name. */
  list(): Skill[] {
    return [...this.#byName.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** The name or alias that `name` is most likely a misspelling of. */
  nearest(name: string): string | null {
    return nearest(name, [...this.#byName.keys(), ...this.#byAlias.keys()]) ?? null;
  }
}

/**
 * Reads all skill folders; the later folder wins, a name wins over an alias. What cannot be read is a note and stops
 * nothing. Synchronous: some hundred small files take milliseconds, the most that is read of a folder half a second.
 */
export function findSkills(places: SkillPlaces): SkillCatalogue {
  const byName = new Map(BUILT_IN);
  const byAlias = new Map<string, Skill>();
  const notes: SkillNote[] = [];
  for (const folder of skillFolders(places)) {
    const found = readFolder(folder, places.workspace, notes);
    for (const skill of found) byName.set(skill.name, skill);
  }
  for (const skill of byName.values()) {
    for (const alias of skill.aliases) {
      const named = byName.get(alias);
      if (named !== undefined && named !== skill) {
        notes.push(
          note(skill.file ?? '', '$.aliases', `alias "${alias}" is the name of the skill in ${named.file}`),
        );
      }
      byAlias.set(alias, skill);
    }
  }
  return new SkillCatalogue(byName, byAlias, notes);
}

/** The folders that are searched, weakest first: the first existing one of the person's and the machine's, then the workspace's. */
export function skillFolders(places: SkillPlaces): string[] {
  const shared = [
    join(places.configDir, 'q-cli', 'skills'),
    join(places.home, '.q-skills'),
    places.systemDir ?? '/usr/local/share/q-cli/skills',
  ].find(isFolder);
  const own = ownFolder(join(places.workspace, '.q-skills'));
  return shared === undefined || shared === own ? [own] : [shared, own];
}

function readFolder(folder: string, workspace: string, notes: SkillNote[]): Skill[] {
  const byName = new Map<string, Skill>();
  let size = 0;
  for (const [index, entry] of listFolder(folder, notes).entries()) {
    const file = join(folder, entry);
    if (index >= MAX_FILES || size > MAX_FOLDER_BYTES) {
      const most = `${MAX_FILES} files or ${MAX_FOLDER_BYTES / 1024 / 1024} MiB`;
      notes.push(note(folder, '$', `has more than ${most}: ${entry} and what comes after it is left out`));
      break;
    }
    const bytes = readSkillFile(file, notes);
    if (bytes === null) continue;
    size += bytes.length;
    const { skill, notes: found } = normaliseSkill(bytes, file, workspace);
    notes.push(...found);
    const other = byName.get(skill.name);
    if (other === undefined) {
      byName.set(skill.name, skill);
      continue;
    }
    // The first file stays, but a sound one always beats one that cannot be used.
    const isBetter = other.problems.length > 0 && skill.problems.length === 0;
    if (isBetter) byName.set(skill.name, skill);
    const [kept, left] = isBetter ? [file, other.file] : [other.file, file];
    notes.push(
      note(file, '$.name', `the name "${skill.name}" is taken twice: ${kept} is used, ${left} is not`),
    );
  }
  return [...byName.values()].sort((left, right) => ((left.file ?? '') < (right.file ?? '') ? -1 : 1));
}

function listFolder(folder: string, notes: SkillNote[]): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort();
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOENT') notes.push(note(folder, '$', `cannot be read: ${ensureError(error).message}`));
    return [];
  }
}

/** Links are followed; a pipe, socket or folder is never read. */
function readSkillFile(file: string, notes: SkillNote[]): Uint8Array | null {
  try {
    const stat = statSync(file);
    // Not by its name once more: a step may put a pipe in its place, which nobody comes back from.
    if (stat.isFile() && stat.size <= MAX_FILE_BYTES) return readRegularBytes(file, MAX_FILE_BYTES);
    notes.push(
      note(file, '$', stat.isFile() ? 'is larger than 1 MiB: left out' : 'is no regular file: left out'),
    );
  } catch (error) {
    notes.push(note(file, '$', `cannot be read: ${ensureError(error).message}`));
  }
  return null;
}

/**
 * Where a link in the place of the workspace's folder leads: told here, before any step runs, because in the sandbox no
 * link of the workspace leads out of it.
 */
function ownFolder(path: string): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return isLink && isFolder(path) ? realpathSync(path) : path;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return false;
    throw error;
  }
}

function note(file: string, path: string, message: string): SkillNote {
  return { severity: 'warning', file, path, message };
}
