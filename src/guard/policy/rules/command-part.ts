import { codeOf } from '../../command/possible.ts';
import type { SimpleCommand } from '../../command/reading.ts';
import type { Access } from '../../tools.ts';
import type { PathReader } from '../calls/path-reader.ts';
import type { Part, PathUse } from '../calls/subject.ts';
import { type Destination, readHost, readUrl } from '../calls/url.ts';
import { programName } from './program.ts';
import { onlySpeaks } from './speakers.ts';

const BOTH: readonly Access[] = ['read', 'write'];

/** One program of a command with the files and hosts that it names, or may name. */
export function commandPart(
  command: SimpleCommand,
  base: string,
  paths: PathReader,
  isTransparent: boolean,
): Part {
  const use = (path: string | null, access: readonly Access[]): PathUse =>
    paths.use(path, access, true, [base]);
  const places = command.directories.map((each) =>
    each === null ? null : (paths.resolve(each, base).real[0] ?? base),
  );
  const bases = places.filter((each) => each !== null);
  // What is known to read only (`cat ~/a`) writes none of what its words may name.
  const guessed: readonly Access[] = command.isEffectKnown && command.writes.length === 0 ? ['read'] : BOTH;
  const network = NETWORK_PROGRAMS.has(programName(command.program ?? ''));
  return {
    kind: 'command',
    text: command.text,
    command,
    paths: [
      ...command.reads.map((path) => use(path, ['read'])),
      ...command.writes.map((path) => use(path, ['write'])),
      ...(command.isEffectKnown ? [] : possiblePaths(command, bases, places.includes(null), paths)),
      ...guessedPaths(command).map(
        (path): PathUse => ({
          ...paths.use(path, guessed, false, bases.length === 0 ? [base] : bases),
          isGuess: true,
        }),
      ),
    ],
    destinations: command.args.flatMap((arg) => (arg === null ? [] : destinationsOf(arg, network))),
    guessedHosts: command.isEffectKnown ? [] : guessedHosts(command, network),
    hasOpenDestination: network && isOpen(command),
    isTransparent,
  };
}

/** Arguments that a program we know nothing of may take for paths. */
function possiblePaths(
  command: SimpleCommand,
  bases: readonly string[],
  isPlaceOpen: boolean,
  paths: PathReader,
): PathUse[] {
  return command.args.flatMap((arg) => {
    if (arg === null) return [paths.use(null, BOTH, false)];
    return pathsIn(arg).map((path) =>
      isPlaceOpen && !path.startsWith('/')
        ? paths.use(null, BOTH, false)
        : paths.use(path, BOTH, false, bases.length === 0 ? [paths.cwd] : bases),
    );
  });
}

/** `--file=x`, `-fx`, `if=x`, `@x`, `a:b` all carry a path in some program. */
function pathsIn(arg: string): readonly string[] {
  if (arg.includes('://') && !arg.startsWith('file://')) return [];
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(arg)) return [arg];
  if (/^-[A-Za-z]?$/.test(arg) || arg === '--') return [];
  const pieces = new Set([arg.replace(/^file:\/\//, ''), ...arg.split(/[=:,@]/)]);
  if (/^-[A-Za-z][^-]/.test(arg)) pieces.add(arg.slice(2));
  return [...pieces].filter((piece) => piece !== '' && !/^--?[A-Za-z-]*$/.test(piece)).slice(0, 16);
}

const NETWORK_PROGRAMS: ReadonlySet<string> = new Set(
  (
    'curl wget aria2c http https xh ssh scp sftp rsync nc ncat netcat socat telnet ftp lftp ping ping6 traceroute dig ' +
    'nslookup host drill whois openssl lynx w3m links elinks httpie mosh mount psql mysql mariadb redis-cli mongosh'
  ).split(' '),
);

function destinationsOf(arg: string, isNetworkProgram: boolean): Destination[] {
  const url = arg.includes('://') ? /[A-Za-z][A-Za-z0-9+.-]*:\/\/\S*/.exec(arg)?.[0] : undefined;
  // wget takes all before an `@` for a name, blanks too: `https://good.example<tab>@evil.example`.
  if (url !== undefined) return [readUrl(isNetworkProgram && arg.startsWith(url) ? arg : url)];
  // git and ssh: user@host:path. No port is in it.
  if (arg.includes('@') && /^[^@\s/:]+@[^\s/:@]+(:|$)/.test(arg))
    return single(readHost(arg.replace(/:.*$/s, '')));
  if (!isNetworkProgram || arg.startsWith('-')) return [];
  return single(readHost(arg.replace(/[/?#].*$/s, '')));
}

function single(destination: Destination | null): Destination[] {
  return destination === null ? [] : [destination];
}

const MAX_GUESSES = 32;

/** Paths within code (`open(".env")`), and the part of a word that is known though the word is not (`.git/hooks/$X`). */
function guessedPaths(command: SimpleCommand): readonly string[] {
  const isPartly = (command.args.includes(null) && !onlySpeaks(command)) || command.writes.includes(null);
  const texts = [...codeOf(command), ...(isPartly ? [command.text] : [])];
  return pathsWithin(texts);
}

/** What in these texts may be a path, or the known part of one. */
export function pathsWithin(texts: readonly string[]): readonly string[] {
  if (texts.length === 0) return [];
  const tokens = texts.flatMap((text) =>
    text
      .slice(0, 16_384)
      .replaceAll(/\$(?:HOME\b|\{HOME\})/g, '~')
      .split(/[\s"'`()[\]{}<>|&;,=!]+|\$\w*/),
  );
  return [...new Set(tokens.filter((token) => /[./]/.test(token) && /\w/.test(token)))].slice(0, MAX_GUESSES);
}

/**
 * Options of curl whose value is a word of its own and no address, behind letters that take none: the `{` of a body or a
 * format is no pattern. In `-ow` the w is the value.
 */
const CURL_VALUES =
  /^(-[fgiIkLnNsSvGO]*[AbcdDeFHmoQruwX]|--(cookie|cookie-jar|data(-[a-z]+)?|dump-header|form(-[a-z]+)?|header|json|max-time|output|range|referer|request|user|user-agent|write-out))$/;

/** The program takes its addresses from a file, or from a pattern of its own: `curl '{a,b}.example'`. */
function isOpen({ program, args }: SimpleCommand): boolean {
  const name = programName(program ?? '');
  return args.some(
    (arg, index) =>
      arg === null ||
      (name === 'curl' && isOpenToCurl(arg, args[index - 1] ?? '')) ||
      (name === 'wget' && /^-[A-Za-z]*i|^--input-f/.test(arg)),
  );
}

function isOpenToCurl(arg: string, before: string): boolean {
  if (/^-[A-Za-z]*K|^--conf/.test(arg)) return true;
  const isPattern = /^(?!-).*[{[]/s.test(arg) && !/^(https?:\/\/)?\[[\da-fA-F:.]+\]/.test(arg);
  return isPattern && !CURL_VALUES.test(before);
}

/** Words that look like a host, in whatever they stand. */
function guessedHosts(command: SimpleCommand, isNetworkProgram: boolean): Destination[] {
  const codes = codeOf(command);
  const plain = command.args.filter((arg) => arg !== null && (isNetworkProgram || !/\s/.test(arg)));
  const tokens = [...plain, ...codes].flatMap((text) => {
    const isUrl = text?.includes('://') === true && codes.length === 0;
    // A host has a dot in it, and most words have none.
    return isUrl || text?.includes('.') !== true ? [] : text.slice(0, 16_384).split(/[^\w.-]+/);
  });
  const hosts = tokens.filter(
    (token) =>
      /^[\w-]+(\.[\w-]+)*\.[A-Za-z][\w-]*\.?$/.test(token) ||
      // Elsewhere a number of this form is where a server listens, or a version.
      (isNetworkProgram && /^\d+\.\d+\.\d+\.\d+$/.test(token)),
  );
  return [...new Set(hosts.flatMap((token) => [token, token.replace(/^-[A-Za-z]/, '')]))]
    .slice(0, MAX_GUESSES)
    .flatMap((token) => single(readHost(token)));
}

export function emptyPart(text: string): Part {
  return {
    kind: 'call',
    text,
    command: null,
    paths: [],
    destinations: [],
    guessedHosts: [],
    hasOpenDestination: false,
    isTransparent: false,
  };
}
