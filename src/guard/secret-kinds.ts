/** Secrets that are known by their form, whoever put them where they were found. Every expression is linear in its text. */

/** The kinds that `redact` of a policy may name (policies/policy.schema.json has the same list). */
export const SECRET_KINDS = {
  'aws-key':
    /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|(?<=aws_secret_access_key["']?\s{0,3}[=:]\s{0,3}["']?)[A-Za-z0-9/+]{40}/gi,
  bearer: /(?<=\bbearer\s)[A-Za-z0-9._~+/-]{16,}={0,2}/gi,
  'private-key': /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?/g,
  'github-token': /\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})/g,
  jwt: /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g,
  'url-password': /(?<=\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s:@/]{0,100}:)[^\s:@/]{1,200}(?=@)/gi,
} as const satisfies Readonly<Record<string, RegExp>>;

export type SecretKind = keyof typeof SECRET_KINDS;

/** The text with a mask, `***` by default, in place of all that has the form of one of these kinds. */
export function hideKinds(
  text: string,
  kinds: readonly SecretKind[],
  maskOf: (secret: string) => string = () => '***',
): string {
  return kinds.reduce((shown, kind) => shown.replace(SECRET_KINDS[kind], (secret) => maskOf(secret)), text);
}
