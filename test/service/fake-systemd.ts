/** A machine with a systemd of its own making: systemctl and systemd-notify come first on PATH. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, openBench } from '../setup/bench-home.ts';
import { lacksMountNamespaces } from '../setup/small-disk.ts';

export interface FakeSystemd {
  readonly bench: Bench;
  readonly units: string;
  readonly scope: 'system' | 'user';
  readonly unitFile: (unit: string) => string;
  /** Lines of `calls`, `journal` or `notify`; none when there is no such file. */
  lines(name: 'calls' | 'journal' | 'notify'): string[];
  mainPid(): number;
}

const IS_ROOT = process.getuid?.() === 0;

/** Root's units would go into the machine's own /etc: a mount namespace puts a folder of ours there. */
export const lacksFakes = IS_ROOT ? lacksMountNamespaces() : false;

export function openFakeSystemd(): FakeSystemd {
  let folder = '';
  let units = '';
  // The state folder of a bench lies beside its workspace.
  const bench = openBench({
    prefix: (workspace) => (IS_ROOT ? inNamespace(join(workspace, '..'), workspace) : []),
  });
  const base = join(bench.workspace, '..');
  folder = join(base, 'systemd');
  units = IS_ROOT ? join(base, 'units') : join(base, '.config', 'systemd', 'user');
  const fakes = join(base, 'fakes');
  for (const each of [folder, units, fakes]) mkdirSync(each, { recursive: true });
  const program = join(import.meta.dirname, 'fake-systemctl.mjs');
  const script = (name: string, text: string): void =>
    writeFileSync(join(fakes, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  script('systemctl', `exec '${process.execPath}' '${program}' '${folder}' '${units}' "$@"`);
  script('systemd-notify', `printf '%s|' "$@" >> '${folder}/notify'; echo >> '${folder}/notify'`);
  bench.env['PATH'] = `${fakes}:${bench.env['PATH']}`;
  const textOf = (name: string): string => {
    try {
      return readFileSync(join(folder, name), 'utf8');
    } catch {
      return '';
    }
  };
  return {
    bench,
    units,
    scope: IS_ROOT ? 'system' : 'user',
    unitFile: (unit) => join(units, unit),
    lines: (name) => textOf(name).split('\n').filter(Boolean),
    mainPid: () => Number(textOf('pid')),
  };
}

/** The service of root looks for programs in the folders of the system alone. */
function inNamespace(base: string, workspace: string): string[] {
  const line = `mount --bind "$0/units" /etc/systemd/system && mount --bind "$0/fakes" /usr/local/sbin && cd "$1" && shift && exec "$@"`;
  return ['unshare', '-m', 'sh', '-c', line, base, workspace];
}
