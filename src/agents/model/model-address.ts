/** Why a key may not go to this address; null when it may. */
export function addressProblem(address: string, hasKey: boolean): string | null {
  if (!URL.canParse(address)) return `"${address}" is no address`;
  const { protocol, username, password, hostname } = new URL(address);
  if (username !== '' || password !== '') return 'an address may hold no user or password: use api_key';
  if (protocol === 'https:') return null;
  if (protocol !== 'http:') return `${protocol} is neither http nor https`;
  const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  return isLocal || !hasKey ? null : 'a key is only sent by https, or to this machine';
}
