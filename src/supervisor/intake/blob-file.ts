import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors/workflow-error.ts';

/** What stands in the journal for a value that lies in a file of its instance. */
export interface BlobRef {
  readonly $blob: string;
  readonly bytes: number;
}

/** The reference that a value is, or null; its name may still be no hash, its size no size. */
export function asBlobRef(value: unknown): BlobRef | null {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return null;
  if (!('$blob' in value) || typeof value.$blob !== 'string') return null;
  if (!('bytes' in value) || typeof value.bytes !== 'number') return null;
  return { $blob: value.$blob, bytes: value.bytes };
}

export function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/**
 * Opens the file of a value. The folder is the instance's, and steps may write into it; the hand is the supervisor's:
 * no link is followed, no FIFO waited for, and only a regular file with one name is read. Throws an Error that says
 * why, with the code ENOENT when there is none. The caller closes it.
 */
export async function openBlob(folder: string, hash: string): Promise<{ handle: FileHandle; bytes: number }> {
  const file = join(folder, `blob-${hash}.json`);
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: unknown) => {
      const code = systemCode(error);
      throw Object.assign(new Error(`it cannot be opened: ${code}`, { cause: error }), { code });
    },
  );
  try {
    const stat = await handle.stat();
    if (stat.isFile() && stat.nlink === 1) return { handle, bytes: stat.size };
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  throw new Error('it is no regular file with one name');
}
