/** The package as it would be published, and places where it is installed from the registry. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './bench-home.ts';

export interface Packed {
  readonly file: string;
  /** Bytes of the tarball. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly paths: readonly string[];
}

/** Packs what is in dist/ now; `prepare` would build it anew below the tests that run. */
export function packPackage(folder: string): Packed {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const printed: unknown = JSON.parse(execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' }));
  // A list until npm 10, by name from npm 11.
  const [entry] = Object.values(printed as Record<string, unknown>) as {
    filename: string;
    size: number;
    unpackedSize: number;
    files: { path: string }[];
  }[];
  if (entry === undefined) throw new Error('npm packed nothing');
  const { filename, size, unpackedSize, files } = entry;
  return { file: join(folder, filename), size, unpackedSize, paths: files.map(({ path }) => path) };
}

/** A folder that goes with the test. */
export function temporaryFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'qw-packed-')));
}

/** Installs without any script of a package; answers why not, where the registry cannot be reached. */
export function install(args: readonly string[], cwd: string): string | null {
  const common = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  const { status, stderr, error } = spawnSync('npm', ['install', ...common, ...args], {
    cwd,
    encoding: 'utf8',
    timeout: 150_000,
  });
  if (status === 0) return null;
  const text = `${error?.message ?? ''} ${stderr}`;
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT|E5\d\d/.test(text))
    return `the package registry cannot be reached: ${text.trim().slice(0, 200)}`;
  throw new Error(`npm install ${args.join(' ')}: ${text}`);
}

/** A package named q with nothing but oclif, this package as its plugin, and the command line `bin/q.js`. */
export function makeHost(folder: string, oclif: string): void {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  const manifest = {
    name: 'host',
    version: '1.0.0',
    type: 'module',
    bin: { q: 'bin/q.js' },
    dependencies: { '@oclif/core': oclif },
    oclif: { bin: 'q', dirname: 'q', topicSeparator: ' ', plugins: ['q-workflow'] },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  const code = "import { execute } from '@oclif/core';\nawait execute({ dir: import.meta.url });\n";
  writeFileSync(join(folder, 'bin', 'q.js'), code);
}

/** A program of sh in a folder of its own, to be put on a PATH. */
export function makeProgram(folder: string, name: string, script: string): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

export function versionOf(node: string): number {
  return Number(execFileSync(node, ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' }));
}

export function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

export function readme(): string {
  return readFileSync(join(ROOT, 'README.md'), 'utf8');
}
