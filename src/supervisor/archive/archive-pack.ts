import { createHash } from 'node:crypto';
import { constants, createWriteStream } from 'node:fs';
import { lstat, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { systemCode } from '../../errors/workflow-error.ts';
import { syncFolder } from '../../protocol/durable.ts';
import { failpoint } from '../../protocol/failpoint.ts';
import type { Store } from '../../store/store.ts';
import type { ArchivedRows } from '../../store/tables/archive-rows.ts';
import { type ArchiveHeader, type ArchiveLine, openManifest } from './archive-file.ts';

export interface PackedFile {
  readonly bytes: number;
  readonly sha256: string;
}

/** Beside the archive while it is written; a crash may leave it. */
export const UNPACKED = '.tmp';
/** A multiple of three: base64 without a gap. */
const PIECE_BYTES = 192 * 1024;

/** Writes an instance, its rows and the files of its folder, to one file, which has its name when it is on the disk. */
export async function packInstance(
  store: Store,
  { header, rows, folder, target }: PackRequest,
): Promise<PackedFile> {
  const fresh = `${target}${UNPACKED}`;
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    await rm(fresh, { force: true });
    await pipeline(
      linesOf(store, header, rows, folder),
      createGzip(),
      async function* (pieces: AsyncIterable<Buffer>) {
        for await (const piece of pieces) {
          hash.update(piece);
          bytes += piece.length;
          yield piece;
        }
      },
      // On the disk when it is closed, and not by a call that holds up all others.
      createWriteStream(fresh, { flags: 'wx', mode: 0o600, flush: true }),
    );
    failpoint('archive.packed');
    await rename(fresh, target);
    await syncFolder(dirname(target));
    failpoint('archive.placed');
    return { bytes, sha256: hash.digest('hex') };
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}

export interface PackRequest {
  readonly header: ArchiveHeader;
  readonly rows: ArchivedRows;
  readonly folder: string;
  readonly target: string;
}

async function* linesOf(
  store: Store,
  header: ArchiveHeader,
  rows: ArchivedRows,
  folder: string,
): AsyncGenerator<string> {
  const manifest = openManifest();
  const line = (value: ArchiveLine): string => `${JSON.stringify(value)}\n`;
  const tell = (part: string, value: ArchiveLine): string => {
    const text = line(value);
    manifest.add(part, text);
    return text;
  };
  yield line({ archive: header });
  yield tell('state', { state: rows });
  for (let after = 0; ; ) {
    const page = await store.call('archive.events', { id: header.id, after });
    if (page.length === 0) break;
    for (const event of page) yield tell('journal', { event });
    after = Number(page.at(-1)?.['seq']);
  }
  for (const name of await filesIn(folder, '')) {
    const path = join(folder, name);
    const { mode, mtimeMs } = await lstat(path);
    const part = `file:${name}`;
    yield line({ file: { name, mode: mode & 0o777, mtime: Math.floor(mtimeMs) } });
    manifest.add(part, '');
    // A pipe or a link in its place would hold us up, or lead elsewhere.
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    for await (const piece of file.createReadStream({ highWaterMark: PIECE_BYTES })) {
      // No encoding is set: pieces are buffers.
      const data = piece as Buffer;
      manifest.add(part, data);
      yield line({ data: data.toString('base64') });
    }
  }
  yield line({ manifest: manifest.parts() });
}

/** Regular files, by their paths in the folder; sockets and links are of no use to anybody later. */
async function filesIn(folder: string, below: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await entriesOf(join(folder, below))) {
    const name = join(below, entry.name);
    if (entry.isDirectory()) names.push(...(await filesIn(folder, name)));
    else if (entry.isFile()) names.push(name);
  }
  return names.sort();
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
