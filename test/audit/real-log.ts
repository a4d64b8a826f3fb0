/** A log that real runs made, and what somebody with an editor of databases may do to copies of it. */

import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { chainHash } from '../../src/audit/record.ts';
import { type VerifyReport, verifyAudit } from '../../src/audit/verify/verify.ts';
import { eventually, type Finished, finish, openBench, ROOT } from '../setup/bench-home.ts';

export interface LogCopy {
  readonly folder: string;
  readonly home: string;
  readonly file: string;
  readonly anchor: string;
  readonly key: string;
  /** Runs SQL past the triggers, which are there again afterwards. */
  sql(text: string): void;
  /** Runs SQL with nothing in the way put back. */
  bare(text: string): void;
  get(sql: string): Record<string, unknown>;
  /** Computes all hashes from a record on anew, as somebody without the key can. */
  rehash(from: number): void;
  anchorLines(): string[];
  writeAnchor(lines: readonly string[]): void;
  verify(options?: { anchor?: string; key?: string; from?: number }): VerifyReport;
  /** The stand-alone verifier's answer about the same files. */
  verifyAlone(options?: { anchor?: string; key?: string; from?: number }): Promise<Finished>;
  close(): void;
}

export interface RealLog {
  copy(): LogCopy;
  close(): Promise<void>;
}

/** Runs, one of them failed, one approved, a stop, two supervisors, a registration put and removed, switches, fires. */
export async function makeRealLog(): Promise<RealLog> {
  const bench = openBench();
  bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
  bench.skill('fail', { type: 'code_inline', command: 'sh', args: ['-c', 'exit 3'] });
  bench.skill('nap', { type: 'code_inline', command: 'sleep', args: ['60'] });
  const say = { id: 'a', type: 'skill', skill: 'say', inputs: { text: 'hi' } };
  const fine = bench.workflow('fine', { steps: [say, { ...say, id: 'b' }] });
  bench.workflow('bad', { steps: [say, { id: 'f', type: 'skill', skill: 'fail' }] });
  bench.workflow('gate', { steps: [{ id: 'g', type: 'approval', message: 'go on?' }] });
  const everySecond = { type: 'schedule', cron: '* * * * * *' };
  const tick = bench.workflow('tick', { triggers: [everySecond], steps: [say] });
  const yearly = bench.workflow('yearly', {
    triggers: [{ ...everySecond, cron: '0 0 1 1 *' }],
    steps: [say],
  });
  bench.workflow('long', { steps: [{ id: 'n', type: 'skill', skill: 'nap' }] });
  await bench.q('run', 'fine');
  await bench.q('register', fine);
  await bench.q('run', 'bad');
  await bench.q('supervisor', 'stop');
  await bench.q('run', 'long', '--detach');
  await bench.q('stop', 'latest');
  await bench.q('unregister', 'fine');
  await bench.q('register', fine);
  await bench.q('kill', 'workflow:other', '--reason', 'x');
  await bench.q('kill', 'tool:exec', '--reason', 'y');
  await bench.q('rearm', 'tool:exec', '--reason', 'z');
  await bench.q('run', 'gate', '--detach');
  // Only what waits can be approved.
  await eventually('it is approved', async () => (await bench.q('approve', 'latest')).status === 0);
  await eventually('it is over', async () => (await bench.status('latest')).status === 'completed');
  await bench.q('register', yearly);
  await bench.q('register', tick);
  await eventually('it fired', async () => {
    const [found] = (await bench.json('schedule', 'list')) as { last: { status: string } | null }[];
    return found?.last?.status === 'started';
  });
  await bench.q('schedule', 'pause', 'tick');
  await bench.q('supervisor', 'stop', '--instances', 'stop');
  const base = join(bench.home, '..');
  const anchors = join(base, '.local', 'share', 'q-workflow', 'anchors');
  return {
    copy: () => {
      const folder = mkdtempSync(join(base, 'copy-'));
      cpSync(bench.home, join(folder, 'home'), {
        recursive: true,
        filter: (path) => !path.endsWith('.sock'),
      });
      cpSync(anchors, join(folder, 'anchors'), { recursive: true });
      return openCopy(folder);
    },
    close: () => bench.close(),
  };
}

function openCopy(folder: string): LogCopy {
  const home = join(folder, 'home');
  const file = join(home, 'q-workflow.db');
  const keysFolder = join(home, 'keys');
  const anchor = join(folder, 'anchors', String(readdirSync(join(folder, 'anchors'))[0]));
  const key = join(keysFolder, String(readdirSync(keysFolder)[0]));
  const open = <T>(act: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(file);
    try {
      database.exec('PRAGMA foreign_keys = OFF');
      return act(database);
    } finally {
      database.close();
    }
  };
  const withoutTriggers = (act: (database: DatabaseSync) => void, isPutBack = true): void =>
    open((database) => {
      const triggers = database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all();
      for (const { name } of triggers) database.exec(`DROP TRIGGER ${String(name)}`);
      act(database);
      if (isPutBack) for (const { sql } of triggers) database.exec(String(sql));
    });
  const words = (name: string, value: string | number | undefined): string[] =>
    value === undefined ? [] : [`--${name}`, String(value)];
  return {
    folder,
    home,
    file,
    anchor,
    key,
    sql: (text) => withoutTriggers((database) => database.exec(text)),
    bare: (text) => open((database) => database.exec(text)),
    get: (sql) => open((database) => database.prepare(sql).get() ?? {}),
    rehash: (from) =>
      withoutTriggers((database) => {
        let hash = String(database.prepare('SELECT hash FROM audit WHERE seq = ?').get(from - 1)?.['hash']);
        const put = database.prepare('UPDATE audit SET hash = ? WHERE seq = ?');
        for (const row of database
          .prepare('SELECT seq, body FROM audit WHERE seq >= ? ORDER BY seq')
          .all(from)) {
          hash = chainHash(hash, String(row['body']));
          put.run(hash, Number(row['seq']));
        }
      }),
    anchorLines: () => readFileSync(anchor, 'utf8').trimEnd().split('\n'),
    writeAnchor: (lines) => writeFileSync(anchor, lines.map((line) => `${line}\n`).join('')),
    verify: (options = {}) =>
      verifyAudit({
        database: file,
        home,
        keysFolder,
        anchor: options.anchor ?? anchor,
        key: options.key ?? null,
        from: options.from ?? 1,
        env: {},
      }),
    verifyAlone: (options = {}) =>
      finish(
        spawn(process.execPath, [
          '--no-warnings',
          join(ROOT, 'scripts', 'verify-audit.mjs'),
          file,
          '--json',
          ...['--seal-key', key, '--anchor', options.anchor ?? anchor],
          ...words('key', options.key),
          ...words('from', options.from),
        ]),
      ),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
