import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import {
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { systemCode } from '../errors/workflow-error.ts';
import { sha256 } from './canonical.ts';

/** The key of one log: signs checkpoints and seals each record. Held by the writer thread alone. */
export interface AuditKey {
  /** `ed25519:` and 43 characters; may be shown to everybody. */
  readonly publicKey: string;
  /** An Ed25519 signature of a text, base64url. */
  sign(text: string): string;
  /** The seal of a record: names the first forged one even where a whole chain was made anew. 32 characters. */
  seal(text: string): string;
}

const PREFIX = 'ed25519:';

/** One key a log, so that a database which was put in the place of another is seen. */
export function keyFile(folder: string, log: string): string {
  return join(folder, `audit-${log}.key`);
}

/** The logs, other than this one, of which a state folder has keys. */
export function otherLogs(folder: string, log: string | null): string[] {
  try {
    return readdirSync(folder).flatMap((name) => {
      const [, other] = /^audit-([0-9a-f-]{36})\.key$/.exec(name) ?? [];
      return other === undefined || other === log ? [] : [other];
    });
  } catch (error) {
    // Who may not look into the folder, or finds none, cannot know of other logs.
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemCode(error) ?? '')) return [];
    throw error;
  }
}

/** The key of a log, or null when there is none. Throws when the file is none of ours, or a link. */
export function readKey(folder: string, log: string): AuditKey | null {
  try {
    const file = openSync(keyFile(folder, log), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return keyOf(createPrivateKey(readFileSync(file)));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Makes the key of a log; the file is on the disk when it returns. Throws EEXIST when there is one. */
export function makeKey(folder: string, log: string): AuditKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = keyFile(folder, log);
  if (lstatSync(file, { throwIfNoEntry: false }) !== undefined)
    throw Object.assign(new Error(`there is a key ${file} already`), { code: 'EEXIST' });
  // Beside its place until it is whole: a crash or a full disk would leave half a key, which no later start can use.
  const fresh = `${file}.new`;
  try {
    writeSynced(fresh, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
  syncFolder(folder);
  syncFolder(dirname(folder));
  return keyOf(privateKey);
}

function writeSynced(path: string, text: string): void {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  const file = openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** A log has one key, or two: not read anew for each of its thousands of signatures. */
let lastKey: { readonly name: string; readonly key: KeyObject } | null = null;

function importKey(publicKey: string): KeyObject {
  const key = { kty: 'OKP', crv: 'Ed25519', x: publicKey.slice(PREFIX.length) };
  return createPublicKey({ key, format: 'jwk' });
}

/** True when `signature` is that of `text` by the holder of a key. False for what is no key or no signature. */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  try {
    if (!publicKey.startsWith(PREFIX)) return false;
    if (lastKey?.name !== publicKey) lastKey = { name: publicKey, key: importKey(publicKey) };
    const bytes = Buffer.from(signature, 'base64url');
    // The decoder passes over what is no base64url: a signature is the text that we wrote, and no other.
    if (bytes.toString('base64url') !== signature) return false;
    return verify(null, Buffer.from(text), lastKey.key, bytes);
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

function keyOf(privateKey: KeyObject): AuditKey {
  const { x, d } = privateKey.export({ format: 'jwk' });
  if (privateKey.asymmetricKeyType !== 'ed25519' || x === undefined || d === undefined)
    throw new Error('the key of the audit log is no Ed25519 key');
  const seed = Buffer.from(d, 'base64url');
  const sealKey = Buffer.from(hkdfSync('sha256', seed, '', 'q-workflow audit seal', 32)).toString('hex');
  return {
    publicKey: `${PREFIX}${x}`,
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64url'),
    // The key on both sides of a text of one length: as good as an HMAC here, and a tenth of its time in Node.
    seal: (text) => sha256(`${sealKey}${text}${sealKey}`).slice(0, 32),
  };
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
