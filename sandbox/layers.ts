import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { StepUser } from './launcher/ground.ts';
import { seccompProgram } from './launcher/seccomp/program.ts';
import { setprivWords } from './launcher/setpriv.ts';
import type { LayerName } from './launcher/tier.ts';

const PROBE_TIMEOUT_MS = 2000;

/** A layer of a step's sandbox beyond its scope, as far as it works here. */
export interface Layer {
  readonly name: LayerName;
  /** Its program, or that which loads it; null when the layer does not work. */
  readonly path: string | null;
  readonly version: string;
  /** Why it does not work, in one line; empty when it does. */
  readonly note: string;
  /** What to do about that; empty when it works. */
  readonly fix: string;
  /** Something gave no answer in time: it may give one when the machine has less to do. */
  readonly isLate?: true;
}

export interface Layers {
  readonly setpriv: Layer;
  readonly bubblewrap: Layer & { readonly takesDescriptors: boolean };
  readonly seccomp: Layer;
}

export interface ProbeOptions {
  /** A PATH. */
  readonly searchPath?: string;
  /** Tries as this user; only root can. */
  readonly user?: StepUser | null;
}

/**
 * Finds out which layers work by really running them, each within 2 s: a bwrap that is installed may still be refused
 * its user namespace (Ubuntu ≥ 24.04 without an AppArmor profile for it).
 */
export async function probeLayers(options: ProbeOptions = {}): Promise<Layers> {
  const searchPath = options.searchPath ?? process.env.PATH ?? '';
  const setpriv = await probeSetpriv(searchPath, options.user ?? null);
  const prefix =
    options.user == null || setpriv.path === null ? [] : setprivWords(setpriv.path, options.user, true);
  const bubblewrap = await probeBubblewrap(searchPath, prefix);
  return { setpriv, bubblewrap, seccomp: await probeSeccomp(searchPath, prefix, bubblewrap.path) };
}

/** One line that says what is missing and what to install; null when every layer works. */
export function missingLayersMessage(layers: Layers): string | null {
  const { bubblewrap, seccomp, setpriv } = layers;
  const lines: string[] = [];
  if (bubblewrap.path === null)
    lines.push(`Steps run without a file system sandbox: ${bubblewrap.note}; ${bubblewrap.fix}.`);
  else if (seccomp.path === null)
    lines.push(`Steps run without a filter of system calls: ${seccomp.note}; ${seccomp.fix}.`);
  if (setpriv.path === null)
    lines.push(`Steps keep the privileges of the supervisor: ${setpriv.note}; ${setpriv.fix}.`);
  return lines.length === 0 ? null : lines.join(' ');
}

async function probeSetpriv(searchPath: string, user: StepUser | null): Promise<Layer> {
  const found = find('setpriv', 'setpriv', 'util-linux', searchPath);
  if (found.path === null) return found;
  const words = setprivWords(found.path, user, process.getuid?.() === 0);
  const trial = await run([...words, 'true'], searchPath);
  if (trial.problem !== null) return broken(found, trial, 'install setpriv of util-linux');
  return { ...found, version: versionIn((await run([found.path, '--version'], searchPath)).output) };
}

async function probeBubblewrap(searchPath: string, prefix: readonly string[]): Promise<Layers['bubblewrap']> {
  const found = find('bubblewrap', 'bwrap', 'bubblewrap', searchPath);
  if (found.path === null) return { ...found, takesDescriptors: false };
  const words = ['--unshare-pid', '--ro-bind', '/', '/', '--proc', '/proc', '--', 'true'];
  const trial = await run([...prefix, found.path, ...words], searchPath);
  if (trial.problem !== null) {
    const fix = 'allow it to make user namespaces (an AppArmor profile for bwrap)';
    return { ...broken(found, trial, fix), takesDescriptors: false };
  }
  const told = await run([found.path, '--version'], searchPath);
  const help = await run([found.path, '--help'], searchPath);
  return {
    ...found,
    version: versionIn(told.output),
    ...late(help),
    takesDescriptors: help.output.includes('--ro-bind-fd'),
  };
}

async function probeSeccomp(
  searchPath: string,
  prefix: readonly string[],
  bwrap: string | null,
): Promise<Layer> {
  const missing = { name: 'seccomp', path: null, version: '' } as const;
  const program = seccompProgram();
  if (program === null)
    return {
      ...missing,
      note: `there is no filter for the machine ${process.arch}`,
      fix: 'run it on x86_64 or aarch64',
    };
  if (bwrap === null) return { ...missing, note: 'bubblewrap loads it', fix: 'make bubblewrap work' };
  const trial = await run(
    [...prefix, bwrap, '--seccomp', '3', '--ro-bind', '/', '/', '--', 'true'],
    searchPath,
    program,
  );
  if (trial.problem === null) return { name: 'seccomp', path: bwrap, version: '', note: '', fix: '' };
  return {
    ...missing,
    note: `the filter was refused: ${trial.problem}`,
    fix: 'use a kernel with CONFIG_SECCOMP_FILTER',
    ...late(trial),
  };
}

function find(name: LayerName, program: string, packageName: string, searchPath: string): Layer {
  const missing = { name, path: null, version: '' };
  if (process.platform !== 'linux')
    return {
      ...missing,
      note: `${name} is for Linux; this is ${process.platform}`,
      fix: 'run the supervisor on Linux',
    };
  const path = findProgram(program, searchPath);
  return path === null
    ? { ...missing, note: `${name} is not installed`, fix: `install the package "${packageName}"` }
    : { name, path, version: 'unknown', note: '', fix: '' };
}

function broken(layer: Layer, trial: Trial, fix: string): Layer {
  const note = `${layer.name} does not work: ${trial.problem}`;
  return { ...layer, path: null, version: '', note, fix, ...late(trial) };
}

function late({ isLate }: Trial): { isLate?: true } {
  return isLate ? { isLate } : {};
}

function versionIn(text: string): string {
  return /\d[\d.]*/.exec(text)?.[0] ?? 'unknown';
}

/** A program that others may change is none for root to run. */
function findProgram(name: string, searchPath: string): string | null {
  for (const folder of searchPath.split(delimiter)) {
    if (!folder.startsWith('/')) continue;
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      const { uid, mode } = statSync(file);
      if (process.getuid?.() !== 0 || (uid === 0 && (mode & 0o022) === 0)) return file;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (!['ENOENT', 'EACCES', 'ENOTDIR', 'ELOOP'].includes(code)) throw error;
    }
  }
  return null;
}

interface Trial {
  readonly output: string;
  readonly problem: string | null;
  readonly isLate: boolean;
}

/** `input` is handed over on descriptor 3. */
async function run(words: readonly string[], searchPath: string, input?: Uint8Array): Promise<Trial> {
  const [file = '', ...args] = words;
  // Off the path of a step, so its convenience costs nobody: see docs/decisions/0004.
  const { execa } = await import('execa');
  const done = await execa(file, args, {
    env: { PATH: searchPath },
    extendEnv: false,
    stdio: ['ignore', 'pipe', 'pipe', ...(input === undefined ? [] : [[input] as const])],
    timeout: PROBE_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    reject: false,
  });
  const output = String(done.stdout ?? '');
  if (!done.failed) return { output, problem: null, isLate: false };
  if (done.timedOut) return { output, problem: `no answer within ${PROBE_TIMEOUT_MS} ms`, isLate: true };
  const said =
    String(done.stderr ?? '')
      .trim()
      .split('\n')[0] ||
    done.shortMessage ||
    'it failed';
  return { output, problem: said, isLate: false };
}
