import { hostText, normaliseHost } from '../../../../sandbox/network/host.ts';
import type { Destination } from '../calls/url.ts';
import { type HostFile, many } from '../files/policy-file.ts';
import { fitsGlob } from './text-glob.ts';

export interface HostPattern {
  readonly names: readonly Name[];
  readonly ports: readonly number[];
  readonly classes: readonly string[];
}

interface Name {
  readonly host: string;
  readonly port: number | null;
  readonly isAddress: boolean;
}

/** Throws RangeError for a name that no host can have. */
export function hostPattern(file: string | readonly string[] | HostFile): HostPattern {
  const given = typeof file === 'string' || isList(file) ? { names: file } : file;
  return { names: many(given.names).map(nameOf), ports: many(given.ports), classes: many(given.classes) };
}

function isList(file: readonly string[] | HostFile): file is readonly string[] {
  return Array.isArray(file);
}

function nameOf(text: string): Name {
  const [, bare = '', digits] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text) ?? [null, text];
  const port = digits === undefined ? null : Number(digits);
  // Letters stand for the stars while the rest is brought into its one form.
  const plain = bare.replaceAll('*', 'q-star-q');
  const host = normaliseHost(plain) ?? normaliseHost(`[${plain}]`);
  if (host === null || /[/@?]/.test(bare)) throw new RangeError(`"${text}" is no host name or address`);
  return { host: hostText(host).replaceAll('q-star-q', '*'), port, isAddress: host.kind === 'address' };
}

/** Whether a destination is one that the pattern speaks of. */
export function isHost({ names, ports, classes }: HostPattern, to: Destination): boolean {
  if (to.host === null) return false;
  const { host, port } = to;
  const meant = names.filter((name) => isNamed(name, host, port, to, classes));
  return (
    (names.length === 0 || meant.length > 0) &&
    (ports.length === 0 || (port !== null && ports.includes(port))) &&
    (classes.length === 0 || classes.includes(to.addressClass) || mayLeadThere(meant, to))
  );
}

/** For guards: who forbids `*` means addresses too. */
export function mayBeHost(pattern: HostPattern, to: Destination): boolean {
  const isAny = pattern.names.some(({ host, port }) => host === '*' && (port === null || port === to.port));
  return isHost(isAny ? { ...pattern, names: [] } : pattern, to);
}

/** A word that looks like a host may be one where the pattern names it: `*` names none, and nearly any file looks like one. */
export function isGuessedHost(pattern: HostPattern, to: Destination): boolean {
  if (to.isAddress) return isHost(pattern, to);
  const names = pattern.names.filter(({ host }) => host !== '*');
  return names.length > 0 && isHost({ ...pattern, names }, to);
}

/** A name that the pattern itself names leads where the proxy finds out, which holds it to the classes. */
function mayLeadThere(meant: readonly Name[], { isAddress, addressClass }: Destination): boolean {
  return !isAddress && addressClass === 'public' && meant.some(({ host }) => host !== '*');
}

function isNamed(
  name: Name,
  host: string,
  port: number | null,
  to: Destination,
  classes: readonly string[],
): boolean {
  if (name.port !== null && name.port !== port) return false;
  if (name.host === host) return true;
  // A star means names. An address is meant by itself, or by its class.
  return fitsGlob(name.host, host) && (!to.isAddress || classes.length > 0);
}
