import { mkdir, open } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import type { ArchivedRows, RawRow } from '../../store/tables/archive-rows.ts';
import {
  type ArchivedFile,
  type ArchiveHeader,
  type ArchivePart,
  damaged,
  openManifest,
  readLines,
} from './archive-file.ts';

export interface Unpacked {
  readonly header: ArchiveHeader;
  readonly parts: readonly ArchivePart[];
  readonly rows: ArchivedRows;
  readonly events: readonly RawRow[];
}

/**
 * Reads an archive to its end and compares each part with the manifest; with a folder (new, private) its files are
 * written there. Throws ARCHIVE_DAMAGED.
 */
export async function unpackInstance(file: string, folder: string | null): Promise<Unpacked> {
  const manifest = openManifest();
  const events: RawRow[] = [];
  let header: ArchiveHeader | null = null;
  let rows: ArchivedRows | null = null;
  let parts: readonly ArchivePart[] | null = null;
  let current: { readonly about: ArchivedFile; readonly writer: FileWriter | null } | null = null;
  try {
    for await (const line of readLines(file)) {
      if (parts !== null) throw damaged(file, 'it goes on behind its end');
      const text = `${JSON.stringify(line)}\n`;
      if ('archive' in line) header = line.archive;
      else if ('state' in line) {
        manifest.add('state', text);
        rows = line.state;
      } else if ('event' in line) {
        manifest.add('journal', text);
        events.push(line.event);
      } else if ('file' in line) {
        await current?.writer?.close();
        current = null;
        if (!isInside(line.file.name)) throw damaged(file, `a file of it is called ${line.file.name}`);
        manifest.add(`file:${line.file.name}`, '');
        current = { about: line.file, writer: folder === null ? null : await openWriter(folder, line.file) };
      } else if ('data' in line && current !== null) {
        const data = Buffer.from(line.data, 'base64');
        manifest.add(`file:${current.about.name}`, data);
        await current.writer?.write(data);
      } else if ('manifest' in line) parts = line.manifest;
      else throw damaged(file, 'a line of it is of no known kind');
    }
  } finally {
    await current?.writer?.close();
  }
  if (header === null || rows === null || parts === null) throw damaged(file, 'its end is missing');
  if (JSON.stringify(parts) !== JSON.stringify(manifest.parts()))
    throw damaged(file, 'its parts are not those of its manifest');
  return { header, parts, rows, events };
}

function isInside(name: string): boolean {
  return name !== '' && !isAbsolute(name) && normalize(name) === name && !name.startsWith('..');
}

interface FileWriter {
  write(data: Buffer): Promise<void>;
  close(): Promise<void>;
}

async function openWriter(folder: string, { name, mode, mtime }: ArchivedFile): Promise<FileWriter> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const handle = await open(path, 'wx', 0o600);
  return {
    write: (data) => handle.writeFile(data),
    close: async () => {
      try {
        await handle.chmod(mode & 0o700);
        await handle.utimes(mtime / 1000, mtime / 1000);
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  };
}
