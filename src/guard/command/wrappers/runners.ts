import { isLongOption } from '../options.ts';
import type { Argument } from '../reading.ts';
import { sshSetting } from './privilege.ts';
import { merge, NOTHING, problem, type Run, runs, type Unwrap, type Unwrapped } from './unwrapped.ts';

/** Options of programs whose value is a command: `tar --to-command=…`, `rsync -e …`. */
interface Runners {
  /** Long options, without `--`. */
  readonly long?: readonly string[];
  /** Short options. */
  readonly short?: string;
  /** Short options with a value: what is behind one in a cluster is no option. */
  readonly values?: string;
  /** A first word without dash is a cluster too (`tar cIf …`). */
  readonly isOldStyle?: boolean;
  /** Without such an option it starts a shell that reads standard input. */
  readonly hasShell?: boolean;
}

/** Programs with such options; an argument that is known only at run time may be one of them. */
const RUNNERS: Readonly<Record<string, Runners>> = {
  tar: {
    long: [
      'to-command',
      'use-compress-program',
      'rsh-command',
      'rmt-command',
      'info-script',
      'new-volume-script',
    ],
    short: 'IF',
    values: 'fCbgHLNTVXKF',
    isOldStyle: true,
  },
  rsync: { long: ['rsh', 'rsync-path'], short: 'e', values: 'BTMf' },
  zip: { long: ['unzip-command'] },
  split: { long: ['filter'] },
  sort: { long: ['compress-program'] },
  scp: { short: 'S', values: 'cDFiJloPX' },
  sftp: { short: 'S', values: 'bBcDFiJloPRsX' },
  man: { long: ['pager', 'html', 'preprocessor'], short: 'PH', values: 'CRLmMSserETp' },
  tcpdump: { short: 'z', values: 'BcCEFGijmMrsTVwWyZ' },
  ctags: { long: ['options'] },
  script: { long: ['command'], short: 'c', values: 'EIOBTmo' },
  scriptlive: { long: ['command'], short: 'c', values: 'EIOBTmo' },
  newgrp: { short: 'c', hasShell: true },
  sg: { short: 'c' },
  capsh: { short: 'c' },
  nc: { short: 'ec', values: 'gGioOpqswxXT', long: ['exec', 'sh-exec', 'lua-exec'] },
  ncat: { short: 'ec', values: 'gGimopqswx', long: ['exec', 'sh-exec', 'lua-exec'] },
  netcat: { short: 'ec', values: 'gGioOpqswxXT' },
  ripgrep: { long: ['pre', 'hostname-bin'] },
  rg: { long: ['pre', 'hostname-bin'] },
  fd: { long: ['exec', 'exec-batch'], short: 'xX', values: 'dEtecSoj' },
  fdfind: { long: ['exec', 'exec-batch'], short: 'xX', values: 'dEtecSoj' },
  hyperfine: { long: ['prepare', 'setup', 'cleanup', 'conclude'], short: 'psc', values: 'wrmMPLSnN' },
};

export const RUNNER_NAMES: readonly string[] = Object.keys(RUNNERS);

/** The commands in the options of a program that is no wrapper otherwise. */
export const unwrapRunners: Unwrap = (args, name) => {
  const spec = RUNNERS[name] ?? {};
  const found: Run[] = [];
  const end = args.indexOf('--');
  const options = end === -1 ? args : args.slice(0, end);
  const notes = options.includes(null)
    ? problem(`${name} takes a word that is known only at run time: it may be an option that runs a command`)
    : NOTHING;
  options.forEach((word, index) => {
    if (word === null) return;
    const long = spec.long?.find((option) => isLongOption(word, option));
    if (long !== undefined) {
      const equals = word.indexOf('=');
      const text = equals === -1 ? (args[index + 1] ?? null) : word.slice(equals + 1);
      found.push({ via: `${name} --${long}`, text, dialect: 'sh' });
      return;
    }
    const isCluster =
      /^-[^-]/.test(word) || (index === 0 && spec.isOldStyle === true && !word.startsWith('-'));
    if (isCluster) found.push(...clusterRuns(word, args.slice(index + 1), spec, name, index === 0));
  });
  const shell =
    spec.hasShell === true && found.length === 0
      ? problem(`${name} starts a shell that reads its standard input`)
      : NOTHING;
  const settings = name === 'scp' || name === 'sftp' ? sshSettings(options) : NOTHING;
  return merge(notes, shell, runs(...found), name === 'tar' ? checkpoints(args) : settings);
};

function clusterRuns(
  word: string,
  next: readonly Argument[],
  spec: Runners,
  name: string,
  isFirst: boolean,
): Run[] {
  const isOld = isFirst && !word.startsWith('-');
  for (let index = isOld ? 0 : 1; index < word.length; index++) {
    const letter = word[index] ?? '';
    if (spec.short?.includes(letter) === true) {
      const attached = word.slice(index + 1);
      // The values of an old-style cluster stand in the order of its letters: any of them may be the command.
      const texts = isOld ? next.slice(0, word.length) : [attached === '' ? (next[0] ?? null) : attached];
      return texts.map((text) => ({ via: `${name} -${letter}`, text, dialect: 'sh' }));
    }
    if (!isOld && spec.values?.includes(letter) === true) return [];
  }
  return [];
}

/** `-o ProxyCommand=…` as for ssh, in a word or two. */
function sshSettings(args: readonly Argument[]): Unwrapped {
  return merge(
    ...args.map((word, index) => {
      const [, attached = null] = /^-o(.*)$/s.exec(word ?? '') ?? [];
      if (attached === null) return NOTHING;
      return sshSetting(attached === '' ? (args[index + 1] ?? null) : attached);
    }),
  );
}

function checkpoints(args: readonly Argument[]): Unwrapped {
  return merge(
    ...args.map((word, index) => {
      if (word === null || !isLongOption(word, 'checkpoint-action')) return NOTHING;
      const equals = word.indexOf('=');
      const value = equals === -1 ? args[index + 1] : word.slice(equals + 1);
      if (value === null || value === undefined)
        return problem('tar --checkpoint-action is known only at run time');
      return value.startsWith('exec=')
        ? runs({ via: 'tar --checkpoint-action', text: value.slice(5), dialect: 'sh' })
        : NOTHING;
    }),
  );
}
