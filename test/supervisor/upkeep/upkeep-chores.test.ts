import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { locateHome } from '../../../src/protocol/home.ts';
import { upkeepSettings } from '../../../src/protocol/upkeep-settings.ts';
import { dailyUpkeep } from '../../../src/supervisor/upkeep/upkeep-chores.ts';
import { fakeContext } from '../fake-context.ts';

const DAY = 86_400_000;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qw-upkeep-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What one look does, with the last backup so many days ago. */
async function lookAt(
  env: NodeJS.ProcessEnv,
  backupDays: number,
  stopped: string | null = null,
): Promise<{ did: string[]; said: string[] }> {
  const did: string[] = [];
  const now = Date.now();
  const days = (at: number): number => Math.round((now - at) / DAY);
  let fires = 2;
  const { context, said } = fakeContext({
    'fire.prune': ({ before }: { before: number }) => {
      did.push(`fires ${days(before)}`);
      fires -= 1;
      return { count: fires };
    },
    'audit.prune': ({ before }: { before: number }) => {
      did.push(`audit ${days(before)}`);
      return null;
    },
  });
  const audit = { log: null, seq: 0, hash: null };
  const upkeep = dailyUpkeep(
    { ...context, home: locateHome({ Q_WORKFLOW_HOME: folder }), now: () => now },
    {
      lastAt: () => now - backupDays * DAY,
      make: async (output) => {
        did.push(`backup ${output}`);
        return { file: 'f', made_at: '', bytes: 1, sha256: '', audit, took_ms: 1 };
      },
    },
    {
      run: async (before) => {
        did.push(`archive ${days(before)}`);
        return { archived: [], bytes: 0, stopped };
      },
      prune: async ({ before, count, bytes }) => {
        did.push(`prune ${before === null ? null : days(before)} ${count} ${bytes}`);
        return [];
      },
      restore: () => Promise.reject(new Error('nobody asked')),
      close: () => undefined,
    },
    upkeepSettings(env),
  );
  await upkeep.look();
  upkeep.close();
  return { did, said };
}

const note = (): string => join(folder, 'archive', '.last-run');

test('once a day: a backup first, then the archive, fires and retention; the audit only where it is set', async () => {
  const { did, said } = await lookAt({}, 2);
  assert.deepEqual(did, ['backup null', 'archive 30', 'fires 30', 'fires 30', 'prune 365 10000 2147483648']);
  assert.deepEqual(said, ['info the database is backed up']);
  assert.deepEqual((await lookAt({}, 0)).did, []);
  const yesterday = (Date.now() - DAY - 60_000) / 1000;
  utimesSync(note(), yesterday, yesterday);
  const env = {
    Q_WORKFLOW_ARCHIVE_DAYS: 'never',
    Q_WORKFLOW_ARCHIVE_KEEP_DAYS: 'never',
    Q_WORKFLOW_ARCHIVE_KEEP_COUNT: '5',
    Q_WORKFLOW_ARCHIVE_KEEP_MB: '1',
    Q_WORKFLOW_AUDIT_DAYS: '400',
  };
  assert.deepEqual((await lookAt(env, 0)).did, ['prune null 5 1048576', 'audit 400']);
});

test('one that did not come to its end is tried again at the next look', async () => {
  const { did, said } = await lookAt({ Q_WORKFLOW_AUDIT_DAYS: '400' }, 0, 'no room');
  // What makes room is done all the same.
  assert.deepEqual(did, ['archive 30', 'fires 30', 'fires 30', 'prune 365 10000 2147483648', 'audit 400']);
  assert.deepEqual(said, ['error the state folder could not be tidied, trying again in 10 min']);
  assert.equal(existsSync(note()), false);
  assert.equal((await lookAt({}, 0)).did[0], 'archive 30');
});

test('a clock that is set forward by a year, and right again, makes nothing go that is not due within a day', async () => {
  const start = Date.now();
  const seen: string[] = [];
  let now = start;
  let monotonic = 0;
  const { context } = fakeContext({ 'fire.prune': () => ({ count: 0 }) });
  const days = (at: number | null): number => Math.round((start - (at ?? 0)) / DAY);
  const upkeep = dailyUpkeep(
    { ...context, home: locateHome({ Q_WORKFLOW_HOME: folder }), now: () => now },
    { lastAt: () => now, make: () => Promise.reject(new Error('it is not due')) },
    {
      run: async (before) => {
        seen.push(`archive ${days(before)}`);
        return { archived: [], bytes: 0, stopped: null };
      },
      prune: async ({ before }) => {
        seen.push(`prune ${days(before)}`);
        return [];
      },
      restore: () => Promise.reject(new Error('nobody asked')),
      close: () => undefined,
    },
    upkeepSettings({}),
    () => monotonic,
  );
  const look = async (): Promise<string[]> => {
    await upkeep.look();
    return seen.splice(0);
  };
  assert.deepEqual(await look(), ['archive 30', 'prune 365']);
  now += 365 * DAY;
  monotonic += DAY / 24;
  assert.deepEqual(await look(), ['archive 29', 'prune 364']);
  now = start + DAY / 24;
  utimesSync(note(), 0, 0);
  assert.deepEqual(await look(), ['archive 30', 'prune 365']);
  upkeep.close();
});
