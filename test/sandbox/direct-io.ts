import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why IO past the page cache cannot be had in temporary folders here, or false: for the `skip` of node:test. */
export function lacksDirectIo(): string | false {
  const folder = mkdtempSync(join(tmpdir(), 'q-direct-'));
  const words = ['if=/dev/zero', `of=${join(folder, 'a')}`, 'bs=4096', 'count=1', 'oflag=direct'];
  const { status } = spawnSync('dd', words);
  rmSync(folder, { recursive: true });
  return status === 0 ? false : 'temporary folders take no direct IO here';
}
