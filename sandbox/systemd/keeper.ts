import { mkdirSync } from 'node:fs';
import { readControl } from '../cgroupfs/control-file.ts';
import { childNames } from '../cgroupfs/folders.ts';
import { type CgroupMount, foldersUpward, parseOwnCgroups } from '../cgroupfs/mountinfo.ts';
import { homeFolder } from '../cgroupfs/probe.ts';
import { ask, busEnvironment, SYSTEMD_TIMEOUT_MS } from './ask.ts';
import { type Holder, startHolder } from './holder.ts';
import { isScopeUnitOf, mayEnter, scopeUnitName, systemdRunArguments, unitOf } from './units.ts';

const JOIN_TIMEOUT_MS = 2000;

/**
 * Keeps the systemd scopes of one home in being: the one that new instances go into, and those of earlier starts as
 * long as instances are in them. Left alone, such a scope would vanish with its last process, and with it the
 * counters that tell how that process ended. See docs/decisions/0010-systemd-scopes.md.
 */
export class ScopeKeeper {
  readonly #key: string;
  readonly #mount: CgroupMount;
  readonly #uid: number;
  /** By the folder of the scope. */
  readonly #holders = new Map<string, Holder>();
  #current = '';
  #isClosed = false;

  constructor(key: string, mount: CgroupMount, uid: number) {
    this.#key = key;
    this.#mount = mount;
    this.#uid = uid;
  }

  /** Makes a new scope for the instances to come. Answers its folder, or why there is none. One call at a time. */
  async claim(): Promise<{ readonly folder: string } | { readonly problem: string }> {
    const unit = scopeUnitName(this.#key, Date.now());
    const prefix = ['systemd-run', ...systemdRunArguments(unit, this.#uid)];
    const holder = await startHolder(prefix, '', SYSTEMD_TIMEOUT_MS, busEnvironment(this.#uid));
    if (typeof holder === 'string') return { problem: holder };
    const problem = await this.#problemOf(unit, holder.cgroup);
    if (problem !== null || this.#isClosed) {
      holder.release();
      return { problem: problem ?? 'it is not wanted any more' };
    }
    const folder = foldersUpward(this.#mount, holder.cgroup)[0] ?? '';
    this.#current = folder;
    this.#hold(folder, holder);
    await this.#holdEarlier(folder.slice(0, folder.lastIndexOf('/')));
    return { folder };
  }

  /** Resolves when the current scope has lost its holder although nobody let it go: a person stopped the scope. */
  async lost(): Promise<void> {
    await this.#holders.get(this.#current)?.ended;
    // Let go, it never counts as lost: who waits here waits for ever, holding nothing.
    if (this.#isClosed) await new Promise<never>(() => undefined);
  }

  /** A scope of ours in `folder` is gone: lets go of the systemd scope around it when it was the last of an earlier start. */
  scopeRemoved(folder: string): void {
    const scope = folder.slice(0, folder.indexOf('/q-workflow/'));
    if (scope !== this.#current && !this.#hasInstances(scope)) this.#holders.get(scope)?.release();
  }

  /** Lets go of all: a scope without instances ends, one with instances ends after the last of them. */
  close(): void {
    this.#isClosed = true;
    for (const holder of this.#holders.values()) holder.release();
  }

  async #problemOf(unit: string, cgroup: string): Promise<string | null> {
    if (!cgroup.endsWith(`/${unit}`)) return `systemd-run started a process in ${cgroup} instead of ${unit}`;
    const own = ownCgroup();
    if (mayEnter(own, cgroup, this.#uid)) return null;
    // A login session: we go into the scope ourselves. Not from a service, which would lose its main process so.
    const now = unitOf(own)?.name ?? own;
    if (now.endsWith('.service')) return `a process of ${now} may not enter a scope of user ${this.#uid}`;
    const call = [
      'org.freedesktop.systemd1',
      '/org/freedesktop/systemd1',
      'org.freedesktop.systemd1.Manager',
    ];
    const what = ['AttachProcessesToUnit', 'ssau', unit, '', '1', String(process.pid)];
    const answer = await ask('busctl', ['--user', 'call', ...call, ...what], this.#uid);
    if ('problem' in answer)
      return `this process cannot be moved from ${now} into a scope: ${answer.problem}`;
    return ownCgroup() === cgroup ? null : `systemd did not move this process from ${now} into ${unit}`;
  }

  async #holdEarlier(place: string): Promise<void> {
    const scopes = childNames(place)
      .filter((name) => isScopeUnitOf(this.#key, name))
      .map((name) => `${place}/${name}`)
      .filter((scope) => !this.#holders.has(scope) && this.#hasInstances(scope));
    const env = busEnvironment(this.#uid);
    await Promise.all(
      scopes.map(async (scope) => {
        const leaf = leafOf(scope);
        mkdirSync(leaf, { recursive: true });
        const holder = await startHolder([], leaf, JOIN_TIMEOUT_MS, env);
        // One that ended just now cannot be held, and needs not.
        if (typeof holder !== 'string') this.#hold(scope, holder);
      }),
    );
  }

  #hold(scope: string, holder: Holder): void {
    this.#holders.set(scope, holder);
    void holder.ended.then(() => this.#holders.delete(scope));
    if (this.#isClosed) holder.release();
  }

  #hasInstances(scope: string): boolean {
    return childNames(homeFolder(scope, this.#key)).some((name) => !name.startsWith('.'));
  }
}

/** Where holders are within a scope, also after a probe has made room for controllers. */
export function leafOf(scope: string): string {
  return `${scope}/q-workflow/leaf`;
}

export function ownCgroup(): string {
  return parseOwnCgroups(readControl('/proc/self/cgroup') ?? '').get('') ?? '/';
}
