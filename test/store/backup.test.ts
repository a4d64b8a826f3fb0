import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { SUPERVISOR } from '../../src/audit/record.ts';
import { WorkflowError } from '../../src/errors/workflow-error.ts';
import { backupName, listBackups } from '../../src/protocol/backups.ts';
import { locateHome } from '../../src/protocol/home.ts';
import { hashFile, makeBackup, UNFINISHED } from '../../src/store/make-backup.ts';
import { finishRestore, restoreBackup } from '../../src/store/restore.ts';
import { readSpool } from '../../src/supervisor/spool-file.ts';
import { offerBackup, refuseMissing } from '../../src/supervisor/upkeep/offer-backup.ts';
import { type Desk, launched, openDesk, record } from './support.ts';

const AT = Date.parse('2026-11-28T08:58:01.123Z');
const by = { actor: SUPERVISOR, at: AT, env: {} };

describe('a backup', () => {
  let desk: Desk;
  let folder: string;
  beforeEach(() => {
    desk = openDesk();
    folder = dirname(desk.file);
    desk.batch(...launched('one'));
  });
  afterEach(() => desk.close());

  const countIn = (file: string): number => {
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      return Number(database.prepare('SELECT count(*) AS n FROM audit').get()?.['n']);
    } finally {
      database.close();
    }
  };
  const home = (): ReturnType<typeof locateHome> => locateHome({ Q_WORKFLOW_HOME: folder });

  test('holds what is only in the write-ahead log yet, is whole, private and alone', () => {
    const target = join(folder, 'copy.db');
    const facts = makeBackup({ database: desk.file, target });
    const head = desk.one('audit.head', {}) as { log: string; seq: number; hash: string };
    assert.deepEqual(facts, {
      bytes: statSync(target).size,
      sha256: hashFile(target),
      audit: { log: head.log, seq: head.seq, hash: head.hash },
    });
    assert.equal(statSync(target).mode & 0o777, 0o600);
    assert.equal(countIn(target), head.seq);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('copy.db')),
      ['copy.db'],
    );
  });

  test('what lies beside the target is left alone; what an earlier one left unfinished is replaced', () => {
    const target = join(folder, 'copy.db');
    writeFileSync(`${target}.tmp`, 'of somebody else');
    writeFileSync(`${target}${UNFINISHED}`, 'half');
    makeBackup({ database: desk.file, target });
    assert.equal(readFileSync(`${target}.tmp`, 'utf8'), 'of somebody else');
    assert.deepEqual(
      readdirSync(folder)
        .filter((name) => name.startsWith('copy.db'))
        .toSorted(),
      ['copy.db', 'copy.db.tmp'],
    );
  });

  test('is made while the writer is in the middle of a transaction, without it', () => {
    const database = new DatabaseSync(desk.file);
    database.exec("BEGIN IMMEDIATE; INSERT INTO meta VALUES ('half', 'done')");
    const target = join(folder, 'copy.db');
    makeBackup({ database: desk.file, target });
    database.exec('ROLLBACK');
    database.close();
    const copy = new DatabaseSync(target, { readOnly: true });
    assert.equal(copy.prepare("SELECT count(*) AS n FROM meta WHERE key = 'half'").get()?.['n'], 0);
    copy.close();
  });

  test('of what is no database of ours is refused and leaves nothing', () => {
    const bad = join(folder, 'bad.db');
    writeFileSync(bad, 'no database at all '.repeat(1000));
    assert.throws(
      () => makeBackup({ database: bad, target: join(folder, 'copy.db') }),
      (error) => error instanceof WorkflowError && error.code === 'STORE_CORRUPT',
    );
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('copy.db')),
      [],
    );
  });

  test('is named by its time, and listed by it, whatever else lies there', () => {
    for (const name of [backupName(AT), backupName(AT + 1), `${backupName(AT + 2)}.tmp`, 'q-workflow-x.db'])
      writeFileSync(join(folder, name), '');
    assert.equal(backupName(AT), 'q-workflow-20261128T085801123Z.db');
    assert.deepEqual(
      listBackups(folder, AT + 1).map(({ at }) => at),
      [AT + 1, AT],
    );
    assert.deepEqual(listBackups(join(folder, 'missing'), AT), []);
  });

  test('of a clock that was ahead counts as older than those made since it was set right', () => {
    for (const at of [AT - 1, AT, AT + 2000, AT + 1000]) writeFileSync(join(folder, backupName(at)), '');
    assert.deepEqual(
      listBackups(folder, AT).map(({ at }) => at - AT),
      [0, -1, 2000, 1000],
    );
  });

  test('is put back, and the database it replaces is kept with all its files', () => {
    const backup = join(folder, 'copy.db');
    const { audit } = makeBackup({ database: desk.file, target: backup });
    desk.one('audit.append', { entries: [record('later')] });
    const before = countIn(desk.file);
    desk.leave();
    const done = restoreBackup(home(), backup, by);
    const replaced = join(folder, 'replaced-20261128T085801123Z');
    assert.deepEqual([done.replaced, done.audit.seq, done.has_key], [replaced, audit.seq, true]);
    assert.equal(countIn(desk.file), audit.seq);
    assert.equal(countIn(join(replaced, 'q-workflow.db')), before);
    assert.equal(countIn(backup), audit.seq);
    const [entry] = readSpool(readFileSync(join(folder, 'spool.jsonl'))).records;
    assert.deepEqual([entry?.type, entry?.data['head']], ['store.restored', audit]);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('restoring-')),
      [],
    );
    assert.equal(finishRestore(home()), false);
  });

  test('whose record a crash cut is recorded whole by the next start', () => {
    const name = join(folder, 'restoring-20261128T085801123Z');
    makeBackup({ database: desk.file, target: `${name}.db` });
    desk.leave();
    const line = `${JSON.stringify(record('store.restored'))}\n`;
    writeFileSync(`${name}.json`, line);
    writeFileSync(join(folder, 'spool.jsonl'), line.slice(0, 30));
    assert.equal(finishRestore(home()), true);
    const { records, rejectedCount } = readSpool(readFileSync(join(folder, 'spool.jsonl')));
    assert.deepEqual([records.map(({ type }) => type), rejectedCount], [['store.restored'], 1]);
  });

  test('that is damaged is not put back: nothing has changed', () => {
    const backup = join(folder, 'copy.db');
    makeBackup({ database: desk.file, target: backup });
    const bytes = readFileSync(backup);
    bytes.fill(0xa5, 4096 * 3, 4096 * 6);
    writeFileSync(backup, bytes);
    desk.leave();
    const names = readdirSync(folder);
    const content = readFileSync(desk.file);
    assert.throws(
      () => restoreBackup(home(), backup, by),
      (error) => error instanceof WorkflowError && error.code === 'STORE_CORRUPT',
    );
    assert.deepEqual(readdirSync(folder), names);
    assert.ok(readFileSync(desk.file).equals(content));
  });

  test('is offered for a damaged database: the newest one that is good', () => {
    const { backupsFolder } = home();
    const error = new WorkflowError('STORE_CORRUPT', 'cannot open it');
    assert.equal(offerBackup(home(), error), error);
    makeBackup({ database: desk.file, target: join(folder, 'copy.db') });
    const bytes = readFileSync(join(folder, 'copy.db'));
    desk.one('audit.append', { entries: [record('later')] });
    const good = join(backupsFolder, backupName(AT));
    const bad = join(backupsFolder, backupName(AT + 1));
    assert.equal(existsSync(backupsFolder), false);
    mkdirSync(backupsFolder);
    writeFileSync(good, bytes);
    writeFileSync(bad, bytes.subarray(0, 9000));
    const offered = offerBackup(home(), error);
    assert.ok(offered instanceof WorkflowError);
    assert.deepEqual(
      [offered.code, offered.message, offered.hint],
      [
        'STORE_CORRUPT',
        'cannot open it',
        `The newest good backup is of 2026-11-28T08:58:01.123Z: q workflow supervisor restore ${good}`,
      ],
    );
    const newer = new WorkflowError('STORE_NEWER', 'of a newer version');
    assert.equal(offerBackup(home(), newer), newer);
    refuseMissing(home());
    desk.leave();
    rmSync(desk.file);
    assert.throws(
      () => refuseMissing(home()),
      (missing) =>
        missing instanceof WorkflowError &&
        missing.code === 'STORE_CORRUPT' &&
        missing.message === `the database ${desk.file} is gone` &&
        missing.hint === `To begin with an empty one, move the folder ${backupsFolder} away. ${offered.hint}`,
    );
    rmSync(good);
    refuseMissing(home());
    const other = new WorkflowError('STORE_FULL', 'full');
    assert.equal(offerBackup(home(), other), other);
  });
});
