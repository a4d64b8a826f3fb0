/** The file of an archived instance: JSON lines under gzip. docs/operations.md names the kinds of lines. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { ensureError, systemCode, WorkflowError } from '../../errors/workflow-error.ts';
import type { ArchivedRows, RawRow } from '../../store/tables/archive-rows.ts';

export interface ArchiveHeader {
  readonly v: 1;
  readonly id: string;
  readonly workflow: string;
  readonly version: string;
  readonly status: string;
  /** UTC ms. */
  readonly created_at: number;
  readonly ended_at: number;
  readonly archived_at: number;
}

export interface ArchivePart {
  /** `state`, `journal` or `file:<name>`. */
  readonly part: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ArchivedFile {
  readonly name: string;
  readonly mode: number;
  /** UTC ms. */
  readonly mtime: number;
}

export type ArchiveLine =
  | { readonly archive: ArchiveHeader }
  | { readonly state: ArchivedRows }
  | { readonly event: RawRow }
  | { readonly file: ArchivedFile }
  /** Content of the file before it, in base64. */
  | { readonly data: string }
  | { readonly manifest: readonly ArchivePart[] };

/** Counts and hashes the parts of an archive as they pass. */
export function openManifest(): {
  add(part: string, bytes: Buffer | string): void;
  parts(): ArchivePart[];
} {
  const found = new Map<string, { hash: Hash; bytes: number }>();
  return {
    add: (part, bytes) => {
      const known = found.get(part) ?? { hash: createHash('sha256'), bytes: 0 };
      found.set(part, known);
      known.hash.update(bytes);
      known.bytes += Buffer.byteLength(bytes);
    },
    parts: () =>
      [...found].map(([part, { hash, bytes }]) => ({ part, bytes, sha256: hash.copy().digest('hex') })),
  };
}

/** The lines of an archive, one after the other. Throws ARCHIVE_DAMAGED for what is none. */
export async function* readLines(file: string): AsyncGenerator<ArchiveLine> {
  const source = createReadStream(file);
  const text = createGunzip();
  source.once('error', (error) => text.destroy(error));
  const lines = createInterface({ input: source.pipe(text), crlfDelay: Number.POSITIVE_INFINITY });
  try {
    for await (const line of lines) {
      if (line === '') continue;
      // Parts are compared with the manifest, which is compared with the audit log.
      yield JSON.parse(line) as ArchiveLine;
    }
  } catch (error) {
    const isOfContent = error instanceof SyntaxError || (systemCode(error) ?? '').startsWith('Z_');
    throw isOfContent ? damaged(file, ensureError(error).message) : error;
  } finally {
    lines.close();
    source.destroy();
    text.destroy();
  }
}

/** Its first line, without reading the rest. */
export async function readHeader(file: string): Promise<ArchiveHeader> {
  for await (const line of readLines(file)) {
    if ('archive' in line && line.archive.v === 1) return line.archive;
    break;
  }
  throw damaged(file, 'it does not begin as one');
}

export function damaged(file: string, why: string): WorkflowError {
  return new WorkflowError('ARCHIVE_DAMAGED', `the archive ${file} cannot be read: ${why}`);
}
