import { type OptionSpec, scanOptions } from '../options.ts';
import { joined, merge, NOTHING, problem, runs, type Unwrap } from './unwrapped.ts';

interface Prefix extends OptionSpec {
  /** Operands in front of the command: a duration, a lock file. */
  readonly operands?: number;
  /** Runs in another root or on other files. */
  readonly isElsewhere?: boolean;
  /** Options after which no command runs. */
  readonly ends?: readonly string[];
  /** Options whose value is shell text. */
  readonly text?: readonly string[];
  /** Without a command it starts a shell that reads standard input. */
  readonly hasShell?: boolean;
  /** Options that name the directory the command runs in. */
  readonly directory?: readonly string[];
}

const HELP = ['--help', '--version'];
const NAMESPACES = ['mount?', 'uts?', 'ipc?', 'net?', 'pid?', 'user?', 'cgroup?', 'time?'];

const PERSONALITY: Prefix = {
  flags: 'BFILRSTXZv3',
  long: [
    'verbose',
    'addr-no-randomize',
    'fdpic-funcptrs',
    'short-inode',
    'addr-compat-layout',
    'read-implies-exec',
    '32bit',
    'mmap-page-zero',
    'whole-seconds',
    'sticky-timeouts',
    '3gb',
    '4gb',
    'uname-2.6',
    'list',
    'show?',
  ],
  hasShell: true,
};

/** Other names of setarch: links to it, on each kind of machine some of them. */
const MACHINES =
  `linux32 linux64 i386 i486 i586 i686 athlon x86_64 ia64 uname26 aarch64 arm64 arm armv6l armv7l armv8l armh ppc ppc32
  ppc64 ppc64le mips mips32 mips64 parisc parisc32 parisc64 sparc sparc32 sparc64 s390 s390x alpha riscv32 riscv64`.split(
    /\s+/,
  );

/** Programs that run the rest of their words: `nice -n 5 git push`. */
const PREFIXES: Readonly<Record<string, Prefix>> = {
  nice: { values: 'n', hasNumbers: true, long: ['adjustment='] },
  nohup: {},
  timeout: {
    values: 'sk',
    flags: 'fpv',
    long: ['signal=', 'kill-after=', 'preserve-status', 'foreground', 'verbose'],
    operands: 1,
  },
  stdbuf: { values: 'ioe', long: ['input=', 'output=', 'error='] },
  setsid: { flags: 'cfw', long: ['ctty', 'fork', 'wait'] },
  ionice: {
    values: 'cnpPu',
    flags: 't',
    long: ['class=', 'classdata=', 'pid=', 'pgid=', 'uid=', 'ignore'],
    ends: ['-p', '-P', '-u', '--pid', '--pgid', '--uid'],
  },
  chrt: {
    flags: 'abfiordmRv',
    values: 'TPD',
    long: [
      'all-tasks',
      'batch',
      'deadline',
      'fifo',
      'idle',
      'other',
      'rr',
      'reset-on-fork',
      'verbose',
      'sched-runtime=',
      'sched-period=',
      'sched-deadline=',
    ],
    operands: 1,
  },
  taskset: { flags: 'ac', long: ['all-tasks', 'cpu-list'], operands: 1 },
  time: {
    flags: 'apvq',
    values: 'of',
    long: ['append', 'portability', 'verbose', 'quiet', 'output=', 'format='],
  },
  chroot: { long: ['userspec=', 'groups=', 'skip-chdir'], operands: 1, isElsewhere: true, hasShell: true },
  unshare: {
    flags: 'muinpUCTfrc',
    values: 'RwSGl',
    long: [
      ...NAMESPACES,
      'fork',
      'map-root-user',
      'map-current-user',
      'map-auto',
      'map-user=',
      'map-group=',
      'map-users=',
      'map-groups=',
      'mount-proc?',
      'kill-child?',
      'propagation=',
      'setgroups=',
      'root=',
      'wd=',
      'setuid=',
      'setgid=',
      'keep-caps',
      'boottime=',
      'monotonic=',
      'load-interp=',
    ],
    isElsewhere: true,
    hasShell: true,
  },
  nsenter: {
    flags: 'aFZe',
    values: 'tSGW',
    optional: 'muinpUCTrw',
    long: [
      ...NAMESPACES,
      'all',
      'target=',
      'setuid=',
      'setgid=',
      'preserve-credentials',
      'root?',
      'wd?',
      'wdns=',
      'no-fork',
      'env',
      'follow-context',
      'keep-caps',
      'user-parent',
    ],
    isElsewhere: true,
    hasShell: true,
  },
  flock: {
    flags: 'sexunoFv',
    values: 'wEc',
    long: [
      'shared',
      'exclusive',
      'unlock',
      'nonblock',
      'nb',
      'close',
      'no-fork',
      'verbose',
      'timeout=',
      'wait=',
      'conflict-exit-code=',
      'command=',
    ],
    operands: 1,
  },
  doas: { values: 'uCa', flags: 'nsL', hasShell: false },
  pkexec: { values: 'u', long: ['user=', 'disable-internal-agent', 'keep-cwd'], hasShell: true },
  fakeroot: {
    values: 'lsibf',
    flags: 'u',
    long: ['lib=', 'faked=', 'unknown-is-real'],
    hasShell: true,
  },
  setarch: PERSONALITY,
  prlimit: {
    values: 'p',
    optional: 'cdefilmnqrstuvxy',
    long: ['pid=', 'nofile?', 'nproc?', 'as?', 'core?', 'cpu?', 'data?', 'fsize?', 'rss?', 'stack?'],
    ends: ['-p', '--pid'],
  },
  setpriv: {
    long: [
      'clear-groups',
      'init-groups',
      'keep-groups',
      'no-new-privs',
      'nnp',
      'reset-env',
      'reuid=',
      'regid=',
      'ruid=',
      'rgid=',
      'euid=',
      'egid=',
      'groups=',
      'inh-caps=',
      'ambient-caps=',
      'bounding-set=',
      'securebits=',
      'pdeathsig=',
      'selinux-label=',
      'apparmor-profile=',
    ],
  },
  strace: {
    flags: 'cCdDfFhiknqrtTvVwxyYzZ',
    values: 'abeEIopPsSuUX',
    long: ['output=', 'trace=', 'follow-forks', 'summary', 'seccomp-bpf', 'attach='],
  },
  ltrace: { flags: 'bcCfhiLrStTV', values: 'aAeDlnopsuwxX' },
  catchsegv: {},
  torsocks: { flags: 'i' },
  proxychains: { flags: 'q', values: 'f' },
  unbuffer: { flags: 'p' },
  tini: { flags: 'sgvw', values: 'pe' },
  'dumb-init': { flags: 'cv', values: 'r', long: ['single-child', 'rewrite=', 'verbose'] },
  'su-exec': { operands: 1 },
  gosu: { operands: 1 },
  setuidgid: { operands: 1 },
  choom: { values: 'np', ends: ['-p'], long: ['adjust=', 'pid='] },
  rlwrap: { flags: 'aAcDhiImNnoRrsvW', values: 'bCefFglOpPqStwz' },
  'dbus-run-session': { long: ['config-file=', 'dbus-daemon='] },
  noglob: {},
  fakechroot: { flags: 's', values: 'edcb', long: ['use-system-libs'], hasShell: true },
  uclampset: {
    values: 'mMp',
    flags: 'asRv',
    long: ['pid=', 'system', 'all-tasks', 'reset-on-fork', 'verbose'],
  },
  ...Object.fromEntries(MACHINES.map((name) => [name, PERSONALITY])),
};

export const PREFIX_NAMES: readonly string[] = Object.keys(PREFIXES);

/** What a prefix program runs; a doubt about its options is a problem. */
export const unwrapPrefix: Unwrap = (given, name) => {
  const [machine] = given;
  if (name === 'setarch' && machine === null)
    return problem('setarch: a word before the command is known only at run time');
  // `setarch i686 -R ls`: the machine is the first word, or none.
  const args = name === 'setarch' && machine?.startsWith('-') === false ? given.slice(1) : given;
  const prefix = PREFIXES[name] ?? {};
  const spec = { ...prefix, long: [...(prefix.long ?? []), 'help', 'version'] };
  const { options, rest, doubt } = scanOptions(args, spec);
  const doubts = doubt === null ? NOTHING : problem(`${name}: ${doubt}`);
  if (options.some((option) => HELP.includes(option.name) || prefix.ends?.includes(option.name) === true))
    return doubts;
  const operands = args.slice(rest, rest + (prefix.operands ?? 0));
  if (operands.includes(null)) return problem(`${name}: a word before the command is known only at run time`);
  const words = args.slice(rest + operands.length);
  const place = prefix.isElsewhere === true ? { via: name, directory: null } : { via: name };
  const first = words[0];
  // flock FILE -c TEXT: its options go on after the file.
  if (name === 'flock' && (first === '-c' || first === '--command'))
    return merge(doubts, runs({ ...place, via: 'flock -c', text: words[1] ?? null, dialect: 'sh' }));
  const isShell = name === 'doas' && options.some((option) => option.name === '-s');
  if (words.length > 0) return merge(doubts, runs({ ...place, words }));
  if (prefix.hasShell === true || isShell)
    return merge(doubts, problem(`${name} starts a shell that reads its standard input`));
  return doubts;
};

const WATCH: OptionSpec = {
  flags: 'bcCegprtwx',
  values: 'nq',
  optional: 'd',
  long: [
    'beep',
    'color',
    'no-color',
    'differences?',
    'errexit',
    'chgexit',
    'interval=',
    'precise',
    'no-rerun',
    'no-title',
    'no-wrap',
    'equexit=',
    'exec',
    'help',
    'version',
  ],
};

/** `watch` gives its words to `sh -c`, with -x it runs them. */
export const unwrapWatch: Unwrap = (args) => {
  const { options, rest, doubt } = scanOptions(args, WATCH);
  const words = args.slice(rest);
  const isPlain = options.some((option) => option.name === '-x' || option.name === '--exec');
  const found = isPlain
    ? runs({ via: 'watch', words })
    : runs({ via: 'watch', text: joined(words), dialect: 'sh' });
  return merge(doubt === null ? NOTHING : problem(`watch: ${doubt}`), words.length === 0 ? NOTHING : found);
};
