import type { Argument } from '../reading.ts';
import { findEffects } from './find.ts';
import { gitEffects } from './git.ts';
import { cdEffects, envEffects, timeEffects } from './movers.ts';
import { type Effects, hasFlag, isAbbreviated, NO_EFFECT, operandsOf, UNKNOWN_EFFECT } from './operands.ts';
import { sedEffects } from './sed.ts';
import { EFFECTS, type EffectSpec, type Role } from './tables.ts';

const SPECIAL: Readonly<Record<string, (args: readonly Argument[]) => Effects>> = {
  sed: sedEffects,
  find: findEffects,
  dd: ddEffects,
  awk: awkEffects,
  gawk: awkEffects,
  mawk: awkEffects,
  nawk: awkEffects,
  curl: curlEffects,
  wget: wgetEffects,
  tar: tarEffects,
  rsync: (args) => ({ ...byRole('copy', operandsOf(args, 'efTB').operands), isEffectKnown: false }),
  scp: (args) => ({ ...byRole('copy', operandsOf(args, 'cDFiJloPSX').operands), isEffectKnown: false }),
  patch: () => ({ reads: [], writes: [null], isEffectKnown: false }),
  unzip: () => ({ reads: [], writes: [null], isEffectKnown: false }),
  '7z': () => ({ reads: [], writes: [null], isEffectKnown: false }),
  zip: (args) => {
    const [archive = null, ...files] = operandsOf(args, 'bnPtT').operands;
    return { reads: files, writes: [archive], isEffectKnown: false };
  },
  cpio: () => ({ reads: [], writes: [null], isEffectKnown: false }),
  git: gitEffects,
  strings: stringsEffects,
  sh: shellEffects,
  bash: shellEffects,
  dash: shellEffects,
  xargs: xargsEffects,
  env: envEffects,
  time: timeEffects,
  cd: cdEffects,
  date: dateEffects,
  chdir: cdEffects,
};

/** The paths that the arguments name, by the tables; `name` as tableName gives it, null: not known. */
export function effectsOf(name: string | null, args: readonly Argument[]): Effects {
  if (name === null) return UNKNOWN_EFFECT;
  const special = Object.hasOwn(SPECIAL, name) ? SPECIAL[name] : undefined;
  if (special !== undefined) return special(args);
  const spec = EFFECTS.get(name);
  return spec === undefined ? UNKNOWN_EFFECT : effectsBySpec(spec, args);
}

/** `date -s x` and `date 01010000` set the clock of the machine: that is no file, and no looking either. */
function dateEffects(args: readonly Argument[]): Effects {
  const others = args.filter((arg) => !/^-u?I[a-z]*$/.test(arg ?? ''));
  const { operands, options } = operandsOf(others, 'dfrs', ['date', 'file', 'reference', 'set']);
  const isSet = options.some(({ name }) => name === '-s' || name === '--set');
  const isShort = args.some((arg) => arg === null || /^--s/.test(arg));
  const sets = isSet || isShort || operands.some((word) => word?.startsWith('+') !== true);
  const plain = effectsBySpec(EFFECTS.get('date') ?? { role: 'read' }, args);
  return sets ? { reads: plain.reads, writes: [null], isEffectKnown: false } : plain;
}

/** Of binutils: `@FILE` stands for words that are read from the file, and an error tells them. */
function stringsEffects(args: readonly Argument[]): Effects {
  const files = args.flatMap((word) => (word?.startsWith('@') ? [word.slice(1)] : []));
  const plain = effectsBySpec({ role: 'read' }, args);
  return files.length === 0
    ? plain
    : { reads: [...plain.reads, ...files], writes: plain.writes, isEffectKnown: false };
}

function effectsBySpec(spec: EffectSpec, args: readonly Argument[]): Effects {
  const effects = effectsInOneReading(spec, args);
  const isOnlyReading = spec.isShared === undefined && !args.some((word) => isAbbreviated(word, spec.long));
  return isOnlyReading ? effects : joined(effects, effectsInOneReading({ role: spec.role }, args));
}

/** All that either reading names. */
function joined(a: Effects, b: Effects): Effects {
  return {
    reads: [...new Set([...a.reads, ...b.reads])],
    writes: [...new Set([...a.writes, ...b.writes])],
    isEffectKnown: a.isEffectKnown && b.isEffectKnown,
  };
}

function effectsInOneReading(spec: EffectSpec, args: readonly Argument[]): Effects {
  if (spec.role === 'none') return NO_EFFECT;
  const { operands, options, hidden, mayHaveOptions } = operandsOf(args, spec.values, spec.long);
  const valuesOf = (names: readonly string[] = []) =>
    options.filter((option) => names.includes(option.name)).map((option) => option.value);
  const targets = valuesOf(spec.writes);
  // `rg --files src` lists names and takes no pattern.
  const hasPattern =
    args.includes('--files') || options.some(({ name }) => ['-e', '-f', '--regexp', '--file'].includes(name));
  // `cp -t DIR a b`: the directory is named in front, so no operand is the target.
  const isModeGiven = args.some((word) => word !== null && (spec.modes?.test(word) ?? false));
  const role =
    spec.role === 'copy' && targets.length > 0
      ? 'read'
      : spec.role === 'mode' && isModeGiven
        ? 'write'
        : spec.role;
  const main =
    role === 'move' && targets.length > 0
      ? { reads: operands, writes: operands }
      : byRole(role === 'pattern' && hasPattern ? 'look' : role, operands);
  // The files that are read are listed in a file.
  const listed = options.some(({ name }) => name === '--files0-from') ? [null] : [];
  const isCopy = spec.role === 'copy' || spec.role === 'move';
  return {
    reads: [
      ...main.reads,
      ...valuesOf(spec.reads),
      ...hidden,
      ...listed,
      ...(spec.rewrites === true ? operands : []),
    ],
    writes: [
      ...main.writes,
      ...(isCopy ? targets.flatMap((target) => inside([...operands, target], target)) : targets),
      ...(spec.isPacker === true ? operands.map(unpacked) : []),
      ...(isLinking(spec, args) ? main.reads : []),
    ],
    isEffectKnown: !(mayHaveOptions && (spec.writes !== undefined || main.writes.length > 0)),
  };
}

const PACKED = /\.(?:gz|bz2|xz|zst|lz4|lzma|z)$/i;

function unpacked(path: Argument): Argument {
  return path === null ? null : path.replace(PACKED, '');
}

function isLinking({ links }: EffectSpec, args: readonly Argument[]): boolean {
  return links !== undefined && args.some((arg) => arg === null || links.test(arg));
}

function byRole(role: Role, operands: readonly Argument[]): Pick<Effects, 'reads' | 'writes'> {
  const [first, ...others] = operands;
  const last = operands.at(-1) ?? null;
  switch (role) {
    case 'none':
      return { reads: [], writes: [] };
    case 'read':
      return { reads: operands, writes: [] };
    case 'look':
      return { reads: operands.length === 0 ? ['.'] : operands, writes: [] };
    case 'write':
      return { reads: [], writes: operands };
    case 'pattern':
      // A first word known only at run time may be several.
      if (first === null) return { reads: [null, ...others], writes: [] };
      return { reads: others.length === 0 ? ['.'] : others, writes: [] };
    case 'mode':
      return { reads: [], writes: first === null ? operands : others };
    case 'copy':
      return { reads: operands.slice(0, -1), writes: operands.length === 0 ? [] : inside(operands, last) };
    case 'move':
      return {
        reads: operands.slice(0, -1),
        writes: operands.length === 0 ? [] : [...operands.slice(0, -1), ...inside(operands, last)],
      };
    case 'filter':
      // A first word known only at run time may be several.
      return { reads: operands.slice(0, 1), writes: first === null ? [null] : others };
    default:
      return role satisfies never;
  }
}

/** A target may be a directory: then the files in it are written under the names of their sources. */
function inside(operands: readonly Argument[], target: Argument): readonly Argument[] {
  if (target === null) return [null];
  const names = operands.slice(0, -1).map((source) => source?.replace(/\/+$/, '').split('/').at(-1) ?? null);
  const within = names.map((name) =>
    name === null || name === '..' || name === '.' ? null : `${target.replace(/\/$/, '')}/${name}`,
  );
  return [target, ...within];
}

function ddEffects(args: readonly Argument[]): Effects {
  const values = (key: string) =>
    args.filter((arg) => arg?.startsWith(`${key}=`)).map((arg) => arg?.slice(key.length + 1) ?? null);
  const isStatic = !args.includes(null);
  return {
    reads: values('if'),
    writes: isStatic ? values('of') : [...values('of'), null],
    isEffectKnown: isStatic,
  };
}

function awkEffects(args: readonly Argument[]): Effects {
  const { operands, options } = operandsOf(args, 'Fvf', ['field-separator', 'assign', 'file']);
  const files = options.filter(({ name }) => name === '-f' || name === '--file').map(({ value }) => value);
  const inputs = (files.length > 0 ? operands : operands.slice(1)).filter((arg) => !/^\w+=/.test(arg ?? ''));
  const program = operands[0] ?? null;
  // Of other options some bring a program of their own, some write.
  const isPlain = args.every(
    (arg) => arg === null || !/^-./.test(arg) || /^(?:-[Fv]|--$|--(?:field|ass))/.test(arg),
  );
  const isFilter =
    isPlain && files.length === 0 && program !== null && !/[>|@]|getline|system|ARG[VC]/.test(program);
  return { reads: [...inputs, ...files], writes: isFilter ? [] : [null], isEffectKnown: isFilter };
}

function curlEffects(args: readonly Argument[]): Effects {
  const { options } = operandsOf(args, 'oDcTdbKFEHuAerxXYymwUC', [
    'output',
    'dump-header',
    'cookie-jar',
    'upload-file',
    'data',
    'data-binary',
    'form',
    'config',
    'output-dir',
    'trace',
    'trace-ascii',
    'stderr',
    'libcurl',
  ]);
  const valuesOf = (pattern: RegExp) =>
    options.filter(({ name }) => pattern.test(name)).map(({ value }) => value);
  const data = valuesOf(/^(?:-d|-F|--data|--data-binary|--form)$/).flatMap((value) =>
    value === null ? [null] : [...value.matchAll(/[@<]([^;,]+)/g)].map((match) => match[1] ?? null),
  );
  const isNamedByServer = hasFlag(args, 'O', 'remote-name') || hasFlag(args, 'J', 'remote-header-name');
  return {
    reads: [...valuesOf(/^(?:-T|-K|-E|--upload-file|--config)$/), ...data],
    writes: [
      ...valuesOf(
        /^(?:-o|-D|-c|--output|--dump-header|--cookie-jar|--output-dir|--trace|--trace-ascii|--stderr|--libcurl)$/,
      ),
      ...(isNamedByServer ? [null] : []),
    ],
    isEffectKnown: false,
  };
}

function wgetEffects(args: readonly Argument[]): Effects {
  const { options } = operandsOf(args, 'OoaPiBeTtwQU', [
    'output-document',
    'output-file',
    'append-output',
    'directory-prefix',
    'input-file',
    'post-file',
    'body-file',
  ]);
  const valuesOf = (pattern: RegExp) =>
    options.filter(({ name }) => pattern.test(name)).map(({ value }) => value);
  const documents = valuesOf(/^(?:-O|--output-document)$/);
  return {
    reads: valuesOf(/^(?:-i|--input-file|--post-file|--body-file)$/),
    writes: [
      ...(documents.length === 0 ? [null] : documents),
      ...valuesOf(/^(?:-o|-a|-P|--output-file|--append-output|--directory-prefix)$/),
    ],
    isEffectKnown: false,
  };
}

/** `tar cf ARCHIVE …` writes the archive alone; any other mode may write whatever the archive holds. */
function tarEffects(args: readonly Argument[]): Effects {
  const [first = null, second = null, ...others] = args;
  if (first !== null && /^-?[cvzjJaph]*f$/.test(first) && first.includes('c'))
    return {
      reads: [...operandsOf(others, 'CTX').operands, ...(others.some(isList) ? [null] : [])],
      writes: [second],
      isEffectKnown: false,
    };
  const { operands, options } = operandsOf(args, 'fCTXbgHLNVKI', [
    'file',
    'directory',
    'files-from',
    'exclude-from',
  ]);
  const archives = options.filter(({ name }) => name === '-f' || name === '--file').map(({ value }) => value);
  return { reads: [...archives, ...operands], writes: [...archives, null], isEffectKnown: false };
}

/** What goes into the archive is listed in a file. */
function isList(arg: Argument): boolean {
  return arg !== null && /^-\w*T|^--files-/.test(arg);
}

function shellEffects(args: readonly Argument[]): Effects {
  const { operands } = operandsOf(args, 'oO', ['rcfile', 'init-file']);
  const hasText = args.some((arg) => arg !== null && /^-[a-zA-Z]*c/.test(arg));
  return hasText ? NO_EFFECT : { ...UNKNOWN_EFFECT, reads: operands.slice(0, 1) };
}

function xargsEffects(args: readonly Argument[]): Effects {
  const { options } = operandsOf(args, 'aEILPdnsRSJ', ['arg-file']);
  const files = options
    .filter(({ name }) => name === '-a' || name === '--arg-file')
    .map(({ value }) => value);
  return { reads: files, writes: [], isEffectKnown: true };
}
