import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type AuditEntry, SUPERVISOR } from '../../../src/audit/record.ts';
import { locateHome } from '../../../src/protocol/home.ts';
import type { AuditQuery, AuditRow } from '../../../src/store/audit-reader.ts';
import type { Store } from '../../../src/store/store.ts';
import { createNotifier, type Notifier } from '../../../src/supervisor/notify/notifier.ts';
import type { PostOutcome } from '../../../src/supervisor/watching/http-post.ts';
import { eventually } from '../../setup/bench-home.ts';
import { fakeContext } from '../fake-context.ts';

const ended = (status: string): AuditEntry => ({
  type: 'run.ended',
  at: Date.now(),
  actor: SUPERVISOR,
  instance: 'i',
  data: { status, reason: 'r' },
});

/** A notifier over a log in memory, which a second one can take up. */
describe('the notifier', { timeout: 20_000 }, () => {
  let folder: string;
  let log: AuditEntry[];
  let told: string[];
  let outcome: PostOutcome;
  let reads: number;
  let notifier: Notifier;

  const open = (): { readonly commit: (entry: AuditEntry) => void; readonly said: string[] } => {
    const { context, said } = fakeContext({
      'audit.about': () => ({ log: 'log' }),
      'instance.get': () => ({ workflow: 'w' }),
      'audit.append': ({ entries }: { entries: AuditEntry[] }) => void log.push(...entries),
      'audit.read': ({ from, limit, since }: AuditQuery) => {
        reads += 1;
        const all = log.map(
          (entry, index): AuditRow => ({ seq: index + 1, hash: '', body: JSON.stringify(entry) }),
        );
        const rows = all.filter(({ seq }) => seq > from && (log[seq - 1]?.at ?? 0) >= (since ?? 0));
        return { rows: rows.slice(0, limit), next: rows.length > limit ? from + limit : null };
      },
    });
    const store: Store = Object.defineProperty({ ...context.store }, 'auditSeq', { get: () => log.length });
    const own = { ...context, home: locateHome({ Q_WORKFLOW_HOME: folder }), store, now: Date.now };
    notifier = createNotifier(
      own,
      { XDG_CONFIG_HOME: folder },
      () => undefined,
      async ({ name }, { id }) => {
        told.push(`${name} ${id}`);
        return outcome;
      },
    );
    const commit = (entry: AuditEntry): void => {
      const done = notifier.watcher([entry]);
      log.push(entry);
      done?.([entry], 1);
    };
    return { commit, said };
  };
  const configure = (section: object): void => {
    mkdirSync(join(folder, 'q-workflow'), { recursive: true });
    writeFileSync(join(folder, 'q-workflow', 'config.json'), JSON.stringify({ notifications: section }));
  };
  const kept = (): { cursor: number; pending: unknown[] } =>
    JSON.parse(readFileSync(join(folder, 'notifications.json'), 'utf8')) as ReturnType<typeof kept>;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'qw-notify-'));
    log = [];
    told = [];
    reads = 0;
    outcome = { kind: 'done' };
  });
  afterEach(async () => {
    await notifier.close();
    rmSync(folder, { recursive: true });
  });

  test('tells what is committed from now on, and reads nothing for other records', async () => {
    configure({ a: { command: ['x'] } });
    log.push(ended('failed'));
    const { commit } = open();
    await notifier.start();
    reads = 0;
    commit({ ...ended('failed'), type: 'step.completed' });
    assert.equal(reads, 0);
    commit(ended('failed'));
    await eventually('the notification', () => told.length === 1);
    assert.deepEqual(told, ['a log:3']);
    await eventually(
      'the end of it on disk',
      () => existsSync(join(folder, 'notifications.json')) && kept().pending.length === 0,
    );
    assert.equal(kept().cursor, 3);
  });

  test('what was committed when nobody could tell it any more is told by the next one, once', async () => {
    configure({ a: { command: ['x'] } });
    const first = open();
    await notifier.start();
    first.commit(ended('failed'));
    await eventually(
      'the notification',
      () => told.length === 1 && existsSync(join(folder, 'notifications.json')),
    );
    await notifier.close();
    // Between its commit and the file: a crash.
    log.push(ended('killed'));
    open();
    await notifier.start();
    await eventually('the notification', () => told.length === 2);
    assert.deepEqual(told, ['a log:1', 'a log:2']);
    await notifier.close();
    open();
    await notifier.start();
    assert.equal(told.length, 2);
  });

  test('what could not be delivered stays for the next one', async () => {
    configure({ a: { command: ['x'] } });
    outcome = { kind: 'failed', why: 'h: ECONNREFUSED', isFinal: false };
    const { commit } = open();
    await notifier.start();
    commit(ended('failed'));
    await eventually('an attempt', () => told.length === 1);
    await notifier.close();
    assert.equal(kept().pending.length, 1);
    outcome = { kind: 'done' };
    open();
    await notifier.start();
    await eventually('the second attempt', () => told.length === 2);
    assert.deepEqual(told, ['a log:1', 'a log:1']);
    assert.deepEqual(notifier.document(), { targets: ['a'], pending: 0, delivered: 1, failed: 0 });
  });

  test('a failure for good is audited, without what was sent', async () => {
    configure({ a: { command: ['x'] } });
    outcome = { kind: 'failed', why: 'h: status 404', isFinal: true };
    const { commit } = open();
    await notifier.start();
    commit(ended('failed'));
    const record = await eventually('the record', () =>
      log.find(({ type }) => type === 'notification.failed'),
    );
    assert.deepEqual(record.data, {
      target: 'a',
      event: 'run.failed',
      record: 'log:1',
      run: 'i',
      attempts: 1,
      why: 'h: status 404',
    });
  });

  test('news from before the first target are not told, nor news of more than an hour ago', async () => {
    const { commit } = open();
    await notifier.start();
    commit(ended('failed'));
    configure({ a: { command: ['x'], events: ['run.completed'] } });
    notifier.reload();
    commit({ ...ended('completed'), at: Date.now() - 3_601_000 });
    commit(ended('completed'));
    await eventually('the notification', () => told.length === 1);
    // The reload has a record of its own.
    assert.deepEqual(told, ['a log:4']);
  });

  test('a mistake in the configuration changes nothing, and loses nothing that waits', async () => {
    configure({ a: { command: ['x'] } });
    outcome = { kind: 'failed', why: 'h: ECONNREFUSED', isFinal: false };
    const { commit, said } = open();
    await notifier.start();
    commit(ended('failed'));
    await eventually('an attempt', () => told.length === 1);
    configure({ a: {} });
    notifier.reload();
    assert.match(notifier.problem ?? '', /needs either webhook or command/);
    assert.deepEqual(said, ['error who is notified is not changed: the configuration is not valid']);
    assert.deepEqual([notifier.document().targets, notifier.document().pending], [['a'], 1]);
    await notifier.close();
    open();
    await notifier.start();
    assert.equal(notifier.document().pending, 1);
    configure({ a: { command: ['x'] } });
    outcome = { kind: 'done' };
    notifier.reload();
    await eventually('the second attempt', () => told.length === 2);
  });

  test('a reload is recorded: who is told from now on, and what is wrong', async () => {
    configure({ a: { command: ['x'] } });
    open();
    await notifier.start();
    configure({ b: { command: ['x'] } });
    notifier.reload();
    configure({ b: {} });
    notifier.reload();
    const file = join(folder, 'q-workflow', 'config.json');
    const problem = `${file}: $.notifications.b needs either webhook or command`;
    assert.deepEqual(
      log.map(({ type, data }) => [type, data]),
      [
        ['notification.configured', { targets: ['b'], problem: null }],
        ['notification.configured', { targets: ['b'], problem }],
      ],
    );
  });

  test('a state that is not ours is left aside', async () => {
    configure({ a: { command: ['x'] } });
    writeFileSync(
      join(folder, 'notifications.json'),
      JSON.stringify({ log: 'another', cursor: 0, pending: [] }),
    );
    log.push(ended('failed'));
    const { commit } = open();
    await notifier.start();
    commit(ended('failed'));
    await eventually('the notification', () => told.length === 1);
    assert.deepEqual(told, ['a log:2']);
  });
});
