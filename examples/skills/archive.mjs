// Packs, verifies, rotates and discards backups. The name holds the run, so that a second attempt replaces the first.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const {
  action,
  source,
  target,
  name,
  archive,
  keep,
  min_files: minFiles,
} = JSON.parse(readFileSync(0, 'utf8'));
const sha256 = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');
function tar(...args) {
  const { status, stderr, error } = spawnSync('tar', args, {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  // Its first line says what is wrong, the last one only that something is.
  if (status !== 0) throw error ?? new Error(stderr.split('\n')[0]);
}
const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).length;

const actions = {
  pack: () => {
    // Here already: the archive that was just made would go as well.
    if (keep < 1) throw new Error(`keep is ${keep}: one archive at least has to stay`);
    mkdirSync(target, { recursive: true });
    const day = new Date().toISOString().slice(0, 10);
    const file = join(target, `${name}-${day}-${process.env.Q_WORKFLOW_INSTANCE}.tar.gz`);
    const part = `${file}.part`;
    try {
      tar('-czf', part, '-C', source, '.');
      renameSync(part, file);
    } finally {
      rmSync(part, { force: true });
    }
    writeFileSync(`${file}.sha256`, `${sha256(file)}\n`);
    return { archive: file, sha256: sha256(file), bytes: readFileSync(file).length };
  },
  // Unpacked for real: a list of names proves nothing about their contents.
  verify: () => {
    if (sha256(archive) !== readFileSync(`${archive}.sha256`, 'utf8').trim())
      throw new Error(`${archive} has changed since it was packed`);
    const folder = mkdtempSync(join(process.env.TMPDIR, 'verify-'));
    tar('-xzf', archive, '-C', folder);
    const files = filesIn(folder);
    rmSync(folder, { recursive: true });
    if (files < minFiles)
      throw new Error(`${archive} holds ${files} files, and at least ${minFiles} were expected`);
    return { files };
  },
  rotate: () => {
    const all = readdirSync(target).filter((file) => file.startsWith(`${name}-`) && file.endsWith('.tar.gz'));
    const newest = all
      .map((file) => ({ file, at: statSync(join(target, file)).mtimeMs }))
      .sort((a, b) => b.at - a.at);
    const removed = newest.slice(keep).map(({ file }) => file);
    for (const file of removed)
      for (const end of ['', '.sha256']) rmSync(join(target, file + end), { force: true });
    return { kept: all.length - removed.length, removed };
  },
  discard: () => {
    for (const end of ['', '.sha256']) rmSync(archive + end, { force: true });
    return { discarded: archive };
  },
};
console.log(JSON.stringify(actions[action]()));
