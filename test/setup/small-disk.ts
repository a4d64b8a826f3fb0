/** A small file system of its own in a mount namespace of its own, for tests of full and read-only disks. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import type { Readable } from 'node:stream';

export interface SmallDisk {
  /** Words that run a command where the disk is mounted, in the given working folder. */
  prefix(cwd: string): readonly string[];
  /** Runs a shell line there; throws when it fails. */
  shell(line: string): string;
  /** Takes all the room, but for that many KiB. */
  fill(leaveKib?: number): void;
  free(): void;
  close(): void;
}

/** Why this machine cannot do it, or false. */
export function lacksMountNamespaces(): string | false {
  const { status } = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  return status === 0 ? false : 'mount namespaces are not allowed here (no root, or no unshare)';
}

/** Mounts a tmpfs of `megabytes` on `folder`; nobody outside of the namespace sees it. */
export async function mountSmallDisk(folder: string, megabytes: number): Promise<SmallDisk> {
  mkdirSync(folder, { recursive: true });
  const line = `mount -t tmpfs -o size=${megabytes}m,mode=700 tmpfs "$0" && echo mounted && exec cat`;
  const holder: ChildProcess = spawn('unshare', ['-m', 'sh', '-c', line, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(holder.stdout as Readable, 'data', { signal: AbortSignal.timeout(5000) });
  const enter = ['nsenter', '-t', String(holder.pid), '-m', 'sh', '-c'];
  const shell = (command: string): string => {
    const { status, stdout, stderr } = spawnSync(enter[0] ?? '', [...enter.slice(1), command], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${command}: ${stderr}`);
    return stdout;
  };
  return {
    prefix: (cwd) => [...enter, 'cd "$0" && exec "$@"', cwd],
    shell,
    fill: (leaveKib = 0) =>
      void shell(
        `cat /dev/zero > '${folder}/fill' 2>/dev/null; test "$(df --output=avail '${folder}' | tail -1)" -eq 0 && truncate -s '-${leaveKib}K' '${folder}/fill'`,
      ),
    free: () => void shell(`rm -f '${folder}/fill'`),
    close: () => void holder.kill('SIGKILL'),
  };
}
