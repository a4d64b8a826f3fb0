// Three actions of an asset build: fingerprint copies files under names with their hash, compress packs them, manifest lists.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  createReadStream,
  createWriteStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { brotliCompressSync, constants, createBrotliCompress, createGzip, gzipSync } from 'node:zlib';

const { action, source, output, files = [], method, streamed = false } = JSON.parse(readFileSync(0, 'utf8'));
const SMALL = { [constants.BROTLI_PARAM_LGWIN]: 18, [constants.BROTLI_PARAM_QUALITY]: 6 };
const ends = { gzip: '.gz', brotli: '.br' };

const actions = {
  fingerprint: async () => {
    const names = readdirSync(source, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
    const done = [];
    for (const file of names.sort()) {
      const hash = createHash('sha256');
      for await (const part of createReadStream(file)) hash.update(part);
      const name = file.slice(source.length + 1);
      const end = extname(file);
      const to = join(
        output,
        dirname(name),
        `${basename(file, end)}.${hash.digest('hex').slice(0, 10)}${end}`,
      );
      mkdirSync(dirname(to), { recursive: true });
      copyFileSync(file, to);
      done.push({ name, path: to, bytes: statSync(to).size });
    }
    return { files: done };
  },
  // At once is faster; in a stream it needs little memory, however large the file is.
  compress: async () => {
    let bytes = 0;
    for (const { path } of files) {
      const to = path + ends[method];
      if (streamed)
        await pipeline(
          createReadStream(path),
          method === 'gzip' ? createGzip({ level: 9 }) : createBrotliCompress({ params: SMALL }),
          createWriteStream(to),
        );
      else
        writeFileSync(
          to,
          method === 'gzip'
            ? gzipSync(readFileSync(path), { level: 9 })
            : brotliCompressSync(readFileSync(path)),
        );
      bytes += statSync(to).size;
    }
    return { method, files: files.length, bytes };
  },
  manifest: () => {
    const manifest = Object.fromEntries(files.map(({ name, path }) => [name, path.slice(output.length + 1)]));
    writeFileSync(join(output, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    return { path: join(output, 'manifest.json'), entries: files.length };
  },
};
console.log(JSON.stringify(await actions[action]()));
