// Prints {path, used_percent, free_gb, total_gb, largest: [{name, mb}]}; the largest entries only if asked for.
import { lstatSync, readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

const { SKILL_PARAM_path: path, SKILL_PARAM_list: list = 'false' } = process.env;
const { blocks, bfree, bavail, bsize } = statfsSync(path);
const gb = (count) => Math.round((count * bsize) / 1e8) / 10;

function bytesOf(file) {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.blocks * 512;
  return readdirSync(file).reduce((sum, name) => sum + bytesOf(join(file, name)), 0);
}
const largest =
  list === 'true'
    ? readdirSync(path)
        .map((name) => ({ name, mb: Math.round(bytesOf(join(path, name)) / 1e5) / 10 }))
        .sort((a, b) => b.mb - a.mb)
        .slice(0, 10)
    : [];
// As df counts: what only root may use is neither used nor free.
console.log(
  JSON.stringify({
    path,
    used_percent: Math.round(((blocks - bfree) / (blocks - bfree + bavail)) * 1000) / 10,
    free_gb: gb(bavail),
    total_gb: gb(blocks),
    largest,
  }),
);
