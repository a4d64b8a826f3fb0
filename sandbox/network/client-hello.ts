/** What the first bytes of a tunnel are. */
export type Opening =
  /** Not to be said before there are so many bytes. */
  | { readonly kind: 'more'; readonly bytes: number }
  | {
      readonly kind: 'hello';
      /** Of the extension server_name, as sent; null without one. */
      readonly name: string | null;
    }
  /** No TLS, or none that can be read. */
  | { readonly kind: 'other' };

/** Hellos with many key shares and tickets take some kilobytes; the protocol would allow 16 MiB. */
const MAX_HELLO_BYTES = 32 * 1024;
/** Each record is a reason to look again, so their number bounds the work. */
const MAX_RECORDS = 16;

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const HOST_NAME = 0;
const SERVER_NAME = 0;
const RECORD_HEADER = 5;
const MESSAGE_HEADER = 4;
const MAX_RECORD_BYTES = 0x4000;
const OTHER: Opening = { kind: 'other' };

/**
 * Reads the ClientHello (RFC 8446, 4.1.2; RFC 6066, 3) at the beginning of a stream, also one that is spread over
 * several records. Strict: a length that does not fit its place, a second name or a second extension of names is
 * `other`, so that nobody behind us can read a different name out of the same bytes.
 */
export function readClientHello(bytes: Buffer): Opening {
  const parts: Buffer[] = [];
  for (let at = 0, count = 0; ; count += 1) {
    const isTls = (bytes[at] ?? HANDSHAKE_RECORD) === HANDSHAKE_RECORD && (bytes[at + 1] ?? 3) === 3;
    if (!isTls || count === MAX_RECORDS) return OTHER;
    if (bytes.length < at + RECORD_HEADER) return { kind: 'more', bytes: at + RECORD_HEADER };
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > MAX_RECORD_BYTES) return OTHER;
    const end = at + RECORD_HEADER + length;
    if (bytes.length < end) return { kind: 'more', bytes: end };
    parts.push(bytes.subarray(at + RECORD_HEADER, end));
    const opening = readMessage(Buffer.concat(parts));
    if (opening !== null) return opening;
    at = end;
  }
}

/** Null when the message goes on in the next record. */
function readMessage(message: Buffer): Opening | null {
  if (message[0] !== CLIENT_HELLO) return OTHER;
  if (message.length < MESSAGE_HEADER) return null;
  const length = message.readUIntBE(1, 3);
  if (length > MAX_HELLO_BYTES) return OTHER;
  if (message.length < MESSAGE_HEADER + length) return null;
  try {
    return { kind: 'hello', name: serverName(message.subarray(MESSAGE_HEADER, MESSAGE_HEADER + length)) };
  } catch (error) {
    if (error instanceof Malformed) return OTHER;
    throw error;
  }
}

class Malformed extends Error {}

function serverName(hello: Buffer): string | null {
  const reader = new Reader(hello);
  reader.take(2 + 32);
  reader.vector(1);
  reader.vector(2);
  reader.vector(1);
  if (reader.isEmpty) return null;
  const extensions = new Reader(reader.vector(2));
  reader.end();
  let name: string | null = null;
  while (!extensions.isEmpty) {
    const type = extensions.take(2).readUInt16BE();
    const content = extensions.vector(2);
    if (type !== SERVER_NAME) continue;
    if (name !== null) throw new Malformed();
    name = onlyName(content);
  }
  return name;
}

function onlyName(content: Buffer): string {
  const outer = new Reader(content);
  const list = new Reader(outer.vector(2));
  outer.end();
  if (list.take(1)[0] !== HOST_NAME) throw new Malformed();
  const name = list.vector(2);
  list.end();
  if (name.length === 0) throw new Malformed();
  return name.toString('latin1');
}

class Reader {
  #rest: Buffer;

  constructor(bytes: Buffer) {
    this.#rest = bytes;
  }

  get isEmpty(): boolean {
    return this.#rest.length === 0;
  }

  take(count: number): Buffer {
    if (this.#rest.length < count) throw new Malformed();
    const taken = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return taken;
  }

  /** Bytes with their count before them, in so many bytes. */
  vector(countBytes: 1 | 2): Buffer {
    return this.take(this.take(countBytes).readUIntBE(0, countBytes));
  }

  end(): void {
    if (!this.isEmpty) throw new Malformed();
  }
}
