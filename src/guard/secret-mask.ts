/** What stands in the place of a secret: the same for the same value, so that two places can be compared. */

/**
 * `hmac:` with the number of the key and 12 hex digits of the HMAC-SHA-256 of the secret. Who has not the key learns
 * nothing of a value, not even by guessing it. `key` is hex.
 */
export function maskWith(key: string): (secret: string) => string {
  const bytes = Buffer.from(key, 'hex');
  // Loaded at the first secret: node:crypto is a tenth of an instance's start.
  const digits = (text: string, count: number): string =>
    process
      .getBuiltinModule('node:crypto')
      .createHmac('sha256', bytes)
      .update(text)
      .digest('hex')
      .slice(0, count);
  // Of the key, and of no value: nothing stored is this text.
  let number: string | null = null;
  return (secret) => {
    number ??= digits('q-workflow mask key', 8);
    return `hmac:${number}:${digits(secret, 12)}`;
  };
}
