import type { StepUser } from '../../../sandbox/launcher/ground.ts';

const LOOK_UP_TIMEOUT_MS = 2000;

/**
 * A user by number, from wherever this machine keeps its users (getent asks them all). One without an entry has no
 * name, no home and no group but that of its folder; never root's.
 */
export async function findUser(uid: number, folderGid: number): Promise<StepUser> {
  const { execa } = await import('execa');
  const done = await execa('getent', ['passwd', String(uid)], {
    stdin: 'ignore',
    timeout: LOOK_UP_TIMEOUT_MS,
    reject: false,
  });
  return (
    readUser(String(done.stdout ?? ''), uid) ?? {
      uid,
      gid: folderGid === 0 ? uid : folderGid,
      name: null,
      home: null,
    }
  );
}

/** The user in a line of passwd(5); null when it is not about this one, or has root's group as its own. */
export function readUser(line: string, uid: number): StepUser | null {
  const [name, , number, gid, , home] = line.trim().split(':');
  if (name === undefined || name === '' || Number(number) !== uid || !/^\d+$/.test(gid ?? '')) return null;
  return { uid, gid: Number(gid), name, home: home?.startsWith('/') ? home : null };
}

/** Steps of another user get that user's name and home, not those of root who called. */
export function environmentOf(
  env: Readonly<Record<string, string>>,
  user: StepUser | null,
): Readonly<Record<string, string>> {
  if (user === null) return env;
  const name = user.name ?? String(user.uid);
  return { ...env, HOME: user.home ?? '/', USER: name, LOGNAME: name };
}
