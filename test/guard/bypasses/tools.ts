/** Names that must not be taken for `fs_write` where `fs_*` is allowed, and are denied where `fs_write` is. */
export const TOOL_ATTEMPTS: readonly string[] = [
  'FS_WRITE',
  'Fs_Write',
  'fs_write ',
  ' fs_write',
  'fs_write\n',
  'fs_write\0',
  'fs_wrіte',
  'fs_writе',
  'fs\u200b_write',
  'fs-write',
  'fs.write',
  'fswrite',
  'FsWrite',
  'WRITE',
  'ｆｓ_write',
];

/** Names that only look like a tool of an allowed server or prefix. */
export const UNKNOWN_ATTEMPTS: readonly string[] = [
  'fs_evil',
  'fs_',
  'fs_read/../fs_write',
  'fs_read; fs_write',
  'fs_read,fs_write',
  '@git',
  '@git/',
  '@git/a/b',
  '@GIT/push',
  '@git /push',
  'git/push',
  '@other/@git/push',
  '',
  'constructor',
  '__proto__',
  'toString',
];
