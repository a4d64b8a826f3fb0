/** What the operands of a program are. */
export type Role =
  /** No paths at all. */
  | 'none'
  | 'read'
  /** Read; without any, the directory it runs in. */
  | 'look'
  /** Made, changed or removed. */
  | 'write'
  /** The first is a pattern, unless an option gives it; the others are read. */
  | 'pattern'
  /** The first is a mode or an owner; the others are changed. */
  | 'mode'
  /** The last is written, the others are read. */
  | 'copy'
  /** The last is written, the others are removed. */
  | 'move'
  /** The first is read, the second written. */
  | 'filter';

export interface EffectSpec {
  readonly role: Role;
  /** Short options with a value. */
  readonly values?: string;
  /** Long options with a value. */
  readonly long?: readonly string[];
  /** Not all programs of that name agree on which options have a value: what may be one counts as an operand too. */
  readonly isShared?: true;
  /** Options that say what an operand would: with one of them every operand is changed. Only for `mode`. */
  readonly modes?: RegExp;
  /** Options whose value is a path that is read or written. */
  readonly reads?: readonly string[];
  readonly writes?: readonly string[];
  /** What is written is read as well. */
  readonly rewrites?: true;
  /** `a.gz` is unpacked into `a`. */
  readonly isPacker?: true;
  /** With an argument like this what is read gets another name, by which it can be written. */
  readonly links?: RegExp;
}

function all(names: readonly string[], spec: EffectSpec): [string, EffectSpec][] {
  return names.map((name) => [name, spec]);
}

function words(text: string): string[] {
  return text.split(' ');
}

const PATTERN: EffectSpec = {
  role: 'pattern',
  values: 'efmABCdD',
  long: words(
    'regexp file max-count after-context before-context context include exclude exclude-from exclude-dir label binary-files devices directories',
  ),
  reads: ['-f', '--file', '--exclude-from'],
};
const COPIER: EffectSpec = {
  role: 'copy',
  values: 'tS',
  long: ['target-directory', 'suffix', 'mode', 'owner', 'group'],
  writes: ['-t', '--target-directory'],
};

/** What these touch is what they run. */
const WRAPPERS = [
  'nice',
  'nohup',
  'timeout',
  'stdbuf',
  'setsid',
  'ionice',
  'command',
  'builtin',
  'eval',
  'exec',
];

export const EFFECTS: ReadonlyMap<string, EffectSpec> = new Map([
  ...all([...WRAPPERS, 'trap', 'watch', 'popd', 'dirs', 'hash', 'alias'], { role: 'none' }),
  ...all(
    ['echo', 'printf', 'true', 'false', ':', 'pwd', 'whoami', 'id', 'uname', 'arch', 'nproc', 'uptime'],
    { role: 'none' },
  ),
  ...all(
    [
      'sleep',
      'seq',
      'yes',
      'expr',
      'basename',
      'dirname',
      'tr',
      'printenv',
      'which',
      'type',
      'tty',
      'groups',
      'ps',
    ],
    { role: 'none' },
  ),
  ...all('exit return break continue shift set unset local declare typeset readonly export'.split(' '), {
    role: 'none',
  }),
  ...all(
    [
      'test',
      '[',
      'wait',
      'kill',
      'umask',
      'ulimit',
      'times',
      'read',
      'getopts',
      'let',
      'bg',
      'fg',
      'jobs',
      'cal',
    ],
    {
      role: 'none',
    },
  ),
  ...all(
    [
      'cat',
      'tac',
      'hostname',
      'more',
      'rev',
      'readlink',
      'realpath',
      'cksum',
      'sum',
      'md5',
      'zcat',
      'bzcat',
      'xzcat',
    ],
    {
      role: 'read',
    },
  ),
  ...all(['md5sum', 'sha1sum', 'sha224sum', 'sha256sum', 'sha384sum', 'sha512sum', 'b2sum'], {
    role: 'read',
  }),
  ...all(['nl'], { role: 'read', values: 'bdfhilnsvw' }),
  ...all(['head', 'tail'], {
    role: 'read',
    values: 'ncs',
    long: ['lines', 'bytes', 'pid', 'sleep-interval'],
  }),
  // `+%F` is no path, but none that anybody guards either.
  ...all(['date'], {
    role: 'read',
    values: 'dfrs',
    long: ['date', 'file', 'reference', 'set'],
    reads: ['-f', '-r', '--file', '--reference'],
  }),
  ...all(['wc'], { role: 'read', long: ['files0-from'], reads: ['--files0-from'] }),
  ...all(['cut'], { role: 'read', values: 'bcdf', long: ['bytes', 'characters', 'delimiter', 'fields'] }),
  ...all(['paste', 'column', 'fold', 'fmt', 'expand', 'unexpand', 'pr'], {
    role: 'read',
    values: 'dsctwNo',
    isShared: true,
  }),
  ...all(['join', 'comm'], { role: 'read', values: 'aejotv12', isShared: true }),
  ...all(['diff', 'sdiff', 'colordiff'], {
    role: 'read',
    values: 'CUIxXFSWo',
    isShared: true,
    long: ['exclude', 'exclude-from', 'label', 'output'],
    reads: ['-X', '--exclude-from'],
    writes: ['-o', '--output'],
  }),
  ...all(['cmp'], { role: 'read', values: 'in' }),
  ...all(['od', 'hexdump', 'hd'], { role: 'read', values: 'AjNStwensf', isShared: true }),
  ...all(['base64', 'base32', 'basenc'], {
    role: 'read',
    values: 'wio',
    reads: ['-i'],
    writes: ['-o'],
    isShared: true,
  }),
  ...all(['file', 'stat'], { role: 'read', values: 'mFfPctC', reads: ['-m', '-f'], isShared: true }),
  ...all(['jq', 'yq'], {
    role: 'pattern',
    values: 'fL',
    long: ['from-file'],
    reads: ['-f', '-L', '--from-file'],
    isShared: true,
  }),
  ...all(['less'], {
    role: 'read',
    values: 'oOkpPtTxyzb',
    writes: ['-o', '-O'],
    reads: ['-k'],
    isShared: true,
  }),
  ...all(['pushd'], { role: 'read' }),
  ...all(['source', '.'], { role: 'read' }),
  ...all(['ls', 'dir', 'vdir'], {
    role: 'look',
    values: 'IwT',
    long: ['ignore', 'hide', 'width', 'tabsize'],
    isShared: true,
  }),
  ...all(['du'], {
    role: 'look',
    values: 'BdtX',
    long: ['max-depth', 'exclude', 'files0-from', 'exclude-from'],
    reads: ['-X', '--files0-from', '--exclude-from'],
    isShared: true,
  }),
  ...all(['tree'], { role: 'look', values: 'LPIoH', writes: ['-o'], isShared: true }),
  ...all(['df'], { role: 'look', values: 'Btx', isShared: true }),
  ...all(['grep', 'egrep', 'fgrep', 'zgrep'], PATTERN),
  ...all(['rg', 'ripgrep', 'ag', 'ack', 'ugrep'], {
    role: 'pattern',
    values: 'efmABCdDgtTjMEr',
    // Whoever takes a value for a pattern takes the pattern for a path, and does not see that the whole folder is read.
    long: [
      ...(PATTERN.long ?? []),
      ...words(
        'glob iglob type type-not type-add type-clear sort sortr replace threads engine encoding color colors',
      ),
      ...words(
        'ignore-file max-depth maxdepth max-columns max-filesize path-separator context-separator hyperlink-format',
      ),
      ...words('field-context-separator field-match-separator dfa-size-limit regex-size-limit pre pre-glob'),
      ...words('hostname-bin depth file-search-regex ignore ignore-dir pager path-to-ignore width workers'),
    ],
    reads: [...(PATTERN.reads ?? []), '--ignore-file'],
    isShared: true,
  }),
  ...all(['sort'], {
    role: 'read',
    values: 'koStT',
    long: [
      'output',
      'key',
      'field-separator',
      'files0-from',
      'temporary-directory',
      'buffer-size',
      'batch-size',
    ],
    reads: ['--files0-from'],
    writes: ['-o', '--output', '-T', '--temporary-directory'],
  }),
  ...all(['uniq'], { role: 'filter', values: 'fsw', long: ['skip-fields', 'skip-chars', 'check-chars'] }),
  ...all(['xxd'], { role: 'filter', values: 'cglnoRs' }),
  ...all(['rm', 'rmdir', 'unlink', 'tee', 'mkfifo', 'wipe', 'srm'], { role: 'write' }),
  ...all(['mkdir', 'mknod'], { role: 'write', values: 'm', long: ['mode'] }),
  ...all(['touch'], {
    role: 'write',
    values: 'dtr',
    long: ['date', 'reference', 'time'],
    reads: ['-r', '--reference'],
  }),
  ...all(['truncate'], {
    role: 'write',
    values: 'sr',
    long: ['size', 'reference'],
    reads: ['-r', '--reference'],
  }),
  ...all(['shred'], { role: 'write', values: 'ns', long: ['iterations', 'size', 'random-source'] }),
  ...all(['chmod'], {
    role: 'mode',
    long: ['reference'],
    modes: /^(?:-\w*[rwxXstugo]|--ref)/,
  }),
  ...all(['chown', 'chgrp'], { role: 'mode', long: ['reference', 'from'], modes: /^--ref/ }),
  ...all(['chattr'], { role: 'mode', values: 'pv', modes: /^-\w*[^\WRVfvp]/ }),
  ...all(['setfacl'], { role: 'write', values: 'mMxX', isShared: true }),
  ...all(['gzip', 'gunzip', 'bzip2', 'bunzip2', 'xz', 'unxz', 'zstd', 'unzstd', 'lz4'], {
    role: 'write',
    values: 'So',
    isShared: true,
    rewrites: true,
    isPacker: true,
  }),
  ...all(['cp'], { ...COPIER, links: /^(?:-\w*[ls]|--(?:li|sy))/ }),
  ...all(['ln', 'link'], { ...COPIER, links: /(?:)/ }),
  ...all(['mv'], { ...COPIER, role: 'move' }),
  ...all(['install'], { ...COPIER, values: 'tSmog' }),
  ...all(['nano', 'vi', 'vim', 'nvim', 'ex', 'ed', 'emacs', 'pico'], { role: 'write', rewrites: true }),
]);
