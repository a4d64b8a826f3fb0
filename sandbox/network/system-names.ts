import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { canonicalAddress } from './address.ts';

/** All addresses of a name, as programs of this machine find them: its hosts file counts. Rejects for none. */
export async function systemResolve(name: string): Promise<string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

/** Whether an address is one of this machine's interfaces; for one look, because they come and go. */
export function ownAddresses(): (address: string) => boolean {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const own = new Set(all.map(({ address }) => canonicalAddress(address)));
  return (address) => own.has(address);
}
