import type { Problem } from '../errors/workflow-error.ts';

/**
 * The text of a file's bytes, or the problem that they are no UTF-8. Replacement characters would stand for what the
 * author wrote, and nobody would be told. A byte order mark stays in the text.
 */
export function decodeUtf8(bytes: Uint8Array): string | Problem {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { severity: 'error', path: '$', message: whatIsWrong(bytes) };
  }
}

function whatIsWrong(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  if (isUtf16) return 'the file is UTF-16; save it as UTF-8';
  const lossy = Buffer.from(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  const at = bytes.findIndex((byte, index) => byte !== lossy[index]);
  const line = bytes.subarray(0, at).reduce((lines, byte) => lines + Number(byte === 0x0a), 1);
  const shown = (bytes[at] ?? 0).toString(16).padStart(2, '0');
  return `the file is not UTF-8: byte 0x${shown} at offset ${at} (line ${line})`;
}
