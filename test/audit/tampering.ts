/** What may be done to a log, and what must be found. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { appendFileSync, closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { canonicalJson, sha256 } from '../../src/audit/canonical.ts';
import { signCheckpoint } from '../../src/audit/checkpoint.ts';
import { readKey } from '../../src/audit/keys.ts';
import type { LogCopy } from './real-log.ts';

export interface Tampering {
  readonly name: string;
  readonly act: (log: LogCopy) => void;
  readonly verdict?: 'tampered' | 'unknown' | 'intact';
  /** Of the first bad place. */
  readonly kind: string | null;
  /** A number, or what finds it before the act. */
  readonly seq: number | null | ((log: LogCopy) => number);
  readonly through?: (log: LogCopy) => number;
}

const EDIT = `body = replace(body, '"severity":"info"', '"severity":"none"')`;
const last = (log: LogCopy): number => Number(log.get('SELECT max(seq) AS n FROM audit')['n']);
const lastSigned = (log: LogCopy, before: number): number =>
  Number(log.get(`SELECT max(seq) AS n FROM audit_checkpoints WHERE seq < ${before}`)['n']);
const checkpointAt = (log: LogCopy, number: string): number =>
  Number(log.get(`SELECT seq AS n FROM audit_checkpoints WHERE number = ${number}`)['n']);
const NEWEST = '(SELECT max(number) FROM audit_checkpoints)';
const firstOf = (log: LogCopy, type: string): number =>
  Number(log.get(`SELECT min(seq) AS n FROM audit WHERE type = '${type}'`)['n']);
/** The record that speaks of the first event of the first run. */
const started = (log: LogCopy): number => firstOf(log, 'run.started');
const cutTo = (log: LogCopy, seq: number): void =>
  log.sql(`DELETE FROM audit WHERE seq > ${seq}; DELETE FROM audit_checkpoints WHERE seq > ${seq}`);
/** The key of somebody who does not have ours. */
const stranger = () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const publicKey = `ed25519:${String(privateKey.export({ format: 'jwk' }).x)}`;
  return {
    publicKey,
    sign: (text: string) => sign(null, Buffer.from(text), privateKey).toString('base64url'),
    seal: (hash: string) => sha256(hash).slice(0, 32),
  };
};
const idOf = (log: LogCopy): string =>
  String(log.get("SELECT value FROM meta WHERE key = 'audit_log'")['value']);
/** A record at the end, that the key is another one from now on; its hash fits. */
const addKeyChange = (log: LogCopy, key: string, seal: (hash: string) => string): void => {
  const head = log.get('SELECT seq, body, hash FROM audit ORDER BY seq DESC LIMIT 1');
  const { binds: _, ...said } = JSON.parse(String(head['body']));
  const seq = Number(head['seq']) + 1;
  const data = { old: 'x', new: key };
  const body = canonicalJson({ ...said, seq, type: 'audit.key_replaced', instance: null, data });
  const hash = sha256(String(head['hash']) + body);
  log.sql(`INSERT INTO audit (seq, type, at, instance, body, hash, seal)
    VALUES (${seq}, 'audit.key_replaced', ${said.at}, NULL, '${body}', '${hash}', '${seal(hash)}')`);
};
const signAnew = (log: LogCopy): string => {
  const key = stranger();
  const head = log.get('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1');
  const parts = {
    log: idOf(log),
    number: 1,
    seq: Number(head['seq']),
    hash: String(head['hash']),
    at: 1,
    previous: null,
  };
  const made = signCheckpoint(parts, key);
  log.sql(`DELETE FROM audit_checkpoints;
    INSERT INTO audit_checkpoints VALUES (1, ${made.seq}, '${made.body}', '${made.signature}');
    UPDATE meta SET value = '${key.publicKey}' WHERE key = 'audit_key'`);
  return key.publicKey;
};

export const TAMPERINGS: readonly Tampering[] = [
  { name: 'nothing', act: () => undefined, verdict: 'intact', kind: null, seq: null },
  {
    name: 'a text edited',
    act: (log) => log.sql(`UPDATE audit SET ${EDIT} WHERE seq = 5`),
    kind: 'edited',
    seq: 5,
  },
  {
    name: 'the first record edited',
    act: (log) => log.sql(`UPDATE audit SET body = replace(body, '"pid":', '"pit":') WHERE seq = 1`),
    kind: 'edited',
    seq: 1,
  },
  {
    name: 'the last record edited',
    act: (log) =>
      log.sql(`UPDATE audit SET body = replace(body, '"type"', '"typo"') WHERE seq = ${last(log)}`),
    kind: 'edited',
    seq: last,
  },
  {
    name: 'a text that is no JSON',
    act: (log) => log.sql("UPDATE audit SET body = 'x' WHERE seq = 4"),
    kind: 'edited',
    seq: 4,
  },
  {
    name: 'the column of the type edited',
    act: (log) => log.sql("UPDATE audit SET type = 'x' WHERE seq = 4"),
    kind: 'edited',
    seq: 4,
  },
  {
    name: 'the column of the time edited',
    act: (log) => log.sql('UPDATE audit SET at = at + 1 WHERE seq = 4'),
    kind: 'edited',
    seq: 4,
  },
  {
    name: 'the column of the instance edited',
    act: (log) => log.sql('UPDATE audit SET instance = NULL WHERE seq = 4'),
    kind: 'edited',
    seq: 4,
  },
  {
    name: 'a time that no number of JavaScript can hold',
    act: (log) => log.sql('UPDATE audit SET at = 9223372036854775807 WHERE seq = 4'),
    kind: 'edited',
    seq: 4,
  },
  {
    name: 'a record with a number that no number of JavaScript can hold',
    act: (log) =>
      log.sql(
        'INSERT INTO audit SELECT 9223372036854775807, at, type, instance, body, hash, seal FROM audit WHERE seq = 4',
      ),
    kind: 'missing',
    seq: (log) => last(log) + 1,
  },
  {
    name: 'an event at a time that no number of JavaScript can hold',
    act: (log) => log.sql('UPDATE events SET at = 9007199254740993 WHERE seq = 1'),
    kind: 'journal_mismatch',
    seq: started,
  },
  {
    name: 'a row with a time that no number of JavaScript can hold',
    act: (log) =>
      log.sql(
        "UPDATE instances SET created_at = 9007199254740993 WHERE id = (SELECT instance FROM audit WHERE type = 'run.ended' ORDER BY seq LIMIT 1)",
      ),
    kind: 'state_mismatch',
    seq: (log) => firstOf(log, 'instance.exited'),
  },
  {
    name: 'a checkpoint of a record with a number that no number of JavaScript can hold',
    act: (log) => log.sql('UPDATE audit_checkpoints SET seq = 9223372036854775807 WHERE number = 2'),
    kind: 'checkpoint_edited',
    seq: Number(9223372036854775807n),
  },
  {
    name: 'a hash edited',
    act: (log) =>
      log.sql("UPDATE audit SET hash = replace(hash, substr(hash, 1, 8), 'ffffffff') WHERE seq = 6"),
    kind: 'edited',
    seq: 6,
  },
  {
    name: 'a seal edited',
    act: (log) => log.sql("UPDATE audit SET seal = 'x' WHERE seq = 6"),
    kind: 'forged',
    seq: 6,
  },
  {
    name: 'a record edited with its hash made anew',
    act: (log) => {
      log.sql(`UPDATE audit SET ${EDIT} WHERE seq = 7`);
      const { hash } = log.get('SELECT hash FROM audit WHERE seq = 6');
      const { body } = log.get('SELECT body FROM audit WHERE seq = 7');
      log.sql(`UPDATE audit SET hash = '${sha256(String(hash) + String(body))}' WHERE seq = 7`);
    },
    kind: 'forged',
    seq: 7,
  },
  {
    name: 'a record edited and the whole chain after it made anew',
    act: (log) => {
      log.sql(`UPDATE audit SET ${EDIT} WHERE seq = 5`);
      log.rehash(5);
    },
    kind: 'forged',
    seq: 5,
  },
  {
    name: 'the same where the key of the log is gone',
    act: (log) => {
      log.sql(`UPDATE audit SET ${EDIT} WHERE seq = 5`);
      log.rehash(5);
      rmSync(log.key);
    },
    kind: 'rewritten',
    seq: (log) => lastSigned(log, 5) + 1,
    through: (log) => Number(log.get('SELECT min(seq) AS n FROM audit_checkpoints WHERE seq >= 5')['n']),
  },
  {
    name: 'the chain made anew and all checkpoints dropped, the key gone',
    act: (log) => {
      log.sql(`UPDATE audit SET ${EDIT} WHERE seq = 5`);
      log.rehash(5);
      log.sql('DELETE FROM audit_checkpoints');
      rmSync(log.key);
    },
    kind: 'rewritten',
    seq: (log) => lastSigned(log, 5) + 1,
  },
  {
    name: 'the chain made anew and signed by another key',
    act: (log) => {
      log.sql(`UPDATE audit SET ${EDIT} WHERE seq = 5`);
      log.rehash(5);
      signAnew(log);
      rmSync(log.key);
    },
    kind: 'rewritten',
    seq: (log) => lastSigned(log, 5) + 1,
  },
  {
    name: 'a record deleted',
    act: (log) => log.sql('DELETE FROM audit WHERE seq = 3'),
    kind: 'missing',
    seq: 3,
  },
  {
    name: 'the first record deleted',
    act: (log) => log.sql('DELETE FROM audit WHERE seq = 1'),
    kind: 'missing',
    seq: 1,
  },
  {
    name: 'several records deleted',
    act: (log) => log.sql('DELETE FROM audit WHERE seq BETWEEN 3 AND 5'),
    kind: 'missing',
    seq: 3,
    through: () => 5,
  },
  {
    name: 'a record deleted and the others renumbered',
    act: (log) =>
      log.sql(
        'DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = seq - 1000 WHERE seq > 3; UPDATE audit SET seq = seq + 999 WHERE seq < 0',
      ),
    kind: 'missing',
    seq: 3,
  },
  {
    name: 'two records swapped',
    act: (log) =>
      log.sql(
        'UPDATE audit SET seq = 9999 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 6; UPDATE audit SET seq = 6 WHERE seq = 9999',
      ),
    kind: 'swapped',
    seq: 4,
  },
  {
    name: 'the texts of two records swapped',
    act: (log) =>
      log.sql(
        'CREATE TEMP TABLE t AS SELECT seq, body FROM audit WHERE seq IN (4, 6); UPDATE audit SET body = (SELECT body FROM t WHERE t.seq = 10 - audit.seq) WHERE seq IN (4, 6)',
      ),
    kind: 'swapped',
    seq: 4,
  },
  {
    name: 'a copy added at the end',
    act: (log) =>
      log.sql(
        `INSERT INTO audit SELECT seq + 1, at, type, instance, body, hash, seal FROM audit ORDER BY seq DESC LIMIT 1`,
      ),
    kind: 'inserted',
    seq: (log) => last(log) + 1,
  },
  {
    name: 'an own record added at the end',
    act: (log) => {
      const { body, hash } = log.get('SELECT body, hash FROM audit ORDER BY seq DESC LIMIT 1');
      const next = last(log) + 1;
      const text = canonicalJson({ ...(JSON.parse(String(body)) as object), seq: next });
      log.sql(
        `INSERT INTO audit SELECT ${next}, at, type, instance, '${text}', '${sha256(String(hash) + text)}', seal FROM audit ORDER BY seq DESC LIMIT 1`,
      );
    },
    kind: 'forged',
    seq: (log) => last(log) + 1,
  },
  {
    name: 'a record put in the place of another with REPLACE',
    act: (log) =>
      log.sql(
        'INSERT OR REPLACE INTO audit SELECT 5, at, type, instance, body, hash, seal FROM audit WHERE seq = 8',
      ),
    kind: 'inserted',
    seq: 5,
  },
  {
    name: 'the end cut off',
    act: (log) => log.sql(`DELETE FROM audit WHERE seq > ${last(log) - 2}`),
    kind: 'truncated',
    seq: (log) => last(log) - 1,
    through: last,
  },
  {
    name: 'the end cut off together with its checkpoint',
    act: (log) => cutTo(log, checkpointAt(log, `${NEWEST} - 1`)),
    kind: 'truncated',
    seq: (log) => checkpointAt(log, `${NEWEST} - 1`) + 1,
  },
  { name: 'nearly all cut off', act: (log) => cutTo(log, 1), kind: 'truncated', seq: 2 },
  { name: 'all records deleted', act: (log) => log.sql('DELETE FROM audit'), kind: 'truncated', seq: 1 },
  {
    name: 'all records and checkpoints deleted',
    act: (log) => log.sql('DELETE FROM audit; DELETE FROM audit_checkpoints'),
    kind: 'truncated',
    seq: 1,
  },
  {
    name: 'the end cut off everywhere but in the journal',
    act: (log) => {
      cutTo(log, firstOf(log, 'supervisor.stopped'));
      const n = Number(log.get('SELECT max(number) AS n FROM audit_checkpoints')['n']);
      log.writeAnchor(log.anchorLines().slice(0, n + 1));
    },
    kind: 'state_mismatch',
    seq: null,
  },
  {
    name: 'a checkpoint deleted',
    act: (log) => log.sql('DELETE FROM audit_checkpoints WHERE number = 2'),
    kind: 'checkpoint_missing',
    seq: (log) => checkpointAt(log, '2'),
  },
  {
    name: 'the last checkpoint deleted',
    act: (log) => log.sql(`DELETE FROM audit_checkpoints WHERE number = ${NEWEST}`),
    kind: 'checkpoint_missing',
    seq: (log) => checkpointAt(log, NEWEST),
  },
  {
    name: 'a checkpoint edited',
    act: (log) =>
      log.sql(`UPDATE audit_checkpoints SET body = replace(body, '"v":1', '"v":1 ') WHERE number = 2`),
    kind: 'checkpoint_edited',
    seq: (log) => checkpointAt(log, '2'),
  },
  {
    name: 'a signature edited',
    act: (log) => log.sql("UPDATE audit_checkpoints SET signature = 'AAAA' WHERE number = 2"),
    kind: 'checkpoint_edited',
    seq: (log) => checkpointAt(log, '2'),
  },
  {
    name: 'a whole older copy put back',
    act: (log) => cutTo(log, checkpointAt(log, '2')),
    kind: 'truncated',
    seq: (log) => checkpointAt(log, '2') + 1,
  },
  {
    name: 'the id of the log edited',
    act: (log) =>
      log.sql("UPDATE meta SET value = '00000000-0000-4000-8000-000000000000' WHERE key = 'audit_log'"),
    kind: 'inserted',
    seq: 1,
  },
  { name: 'the anchor deleted', act: (log) => rmSync(log.anchor), verdict: 'unknown', kind: null, seq: null },
  {
    name: 'the anchor emptied',
    act: (log) => log.writeAnchor([]),
    verdict: 'unknown',
    kind: null,
    seq: null,
  },
  {
    name: 'the anchor of another log',
    act: (log) =>
      writeFileSync(
        log.anchor,
        log
          .anchorLines()
          .slice(0, 1)
          .map((line) => `${line.replace(/"log":"[^"]*"/, '"log":"x"')}\n`)
          .join(''),
      ),
    verdict: 'unknown',
    kind: null,
    seq: null,
  },
  {
    name: 'a line of the anchor edited',
    act: (log) =>
      log.writeAnchor(
        log.anchorLines().map((line, index) => (index === 2 ? line.replace('"at":1', '"at":2') : line)),
      ),
    kind: 'anchor_cut',
    seq: (log) => checkpointAt(log, '1') + 1,
  },
  {
    name: 'the last line of the anchor edited',
    act: (log) =>
      log.writeAnchor(
        log
          .anchorLines()
          .map((line, index, all) => (index === all.length - 1 ? line.replace('"at":1', '"at":2') : line)),
      ),
    kind: 'anchor_edited',
    seq: null,
  },
  {
    name: 'text added to the anchor',
    act: (log) => appendFileSync(log.anchor, 'x\n'),
    kind: 'anchor_edited',
    seq: null,
  },
  {
    name: 'a line of the anchor deleted',
    act: (log) => log.writeAnchor(log.anchorLines().toSpliced(2, 1)),
    kind: 'anchor_cut',
    seq: (log) => checkpointAt(log, '1') + 1,
  },
  {
    name: 'the head of the anchor deleted',
    act: (log) => log.writeAnchor(log.anchorLines().slice(1)),
    kind: 'anchor_edited',
    seq: null,
  },
  {
    name: 'lines of the anchor swapped',
    act: (log) => {
      const [head = '', one = '', two = '', ...rest] = log.anchorLines();
      log.writeAnchor([head, two, one, ...rest]);
    },
    kind: 'anchor_cut',
    seq: 1,
  },
  {
    name: 'the last two lines of the anchor deleted',
    act: (log) => log.writeAnchor(log.anchorLines().slice(0, -2)),
    kind: 'anchor_cut',
    seq: (log) => checkpointAt(log, `${NEWEST} - 2`) + 1,
  },
  {
    name: 'the last line of the anchor missing, as after a crash',
    act: (log) => log.writeAnchor(log.anchorLines().slice(0, -1)),
    verdict: 'intact',
    kind: null,
    seq: null,
  },
  {
    name: 'the last line of the anchor cut short, as by a crash',
    act: (log) => writeFileSync(log.anchor, log.anchorLines().join('\n').slice(0, -50)),
    verdict: 'intact',
    kind: null,
    seq: null,
  },
  {
    name: 'an event edited',
    act: (log) =>
      log.sql(
        `UPDATE events SET body = replace(body, '"inputs":{}', '"inputs":{"x":1}') WHERE seq = 1 AND instance = (SELECT instance FROM audit WHERE seq = ${started(log)})`,
      ),
    kind: 'journal_mismatch',
    seq: started,
  },
  {
    name: 'an event deleted',
    act: (log) =>
      log.sql(
        `DELETE FROM events WHERE seq = 1 AND instance = (SELECT instance FROM audit WHERE seq = ${started(log)})`,
      ),
    kind: 'journal_mismatch',
    seq: started,
  },
  {
    name: 'an event added',
    act: (log) =>
      log.sql(
        'INSERT INTO events SELECT instance, seq + 1, incarnation, at, body FROM events ORDER BY instance, seq DESC LIMIT 1',
      ),
    kind: 'journal_mismatch',
    seq: null,
  },
  {
    name: 'the end of a run edited in its row',
    act: (log) =>
      log.sql(
        "UPDATE instances SET status = 'completed', reason = 'completed', error = NULL WHERE status = 'failed'",
      ),
    kind: 'state_mismatch',
    seq: (log) =>
      Number(
        log.get(
          "SELECT max(seq) AS n FROM audit WHERE instance = (SELECT id FROM instances WHERE status = 'failed')",
        )['n'],
      ),
  },
  {
    name: 'what a run used edited in its row',
    act: (log) =>
      log.sql(
        `UPDATE instances SET usage = replace(usage, 'cpuSeconds', 'cpuMinutes') WHERE status = 'failed'`,
      ),
    kind: 'state_mismatch',
    seq: (log) =>
      Number(
        log.get(
          "SELECT max(seq) AS n FROM audit WHERE instance = (SELECT id FROM instances WHERE status = 'failed')",
        )['n'],
      ),
  },
  {
    name: 'a run deleted with its journal',
    act: (log) =>
      log.sql(
        "DELETE FROM events WHERE instance = (SELECT id FROM instances WHERE status = 'failed'); DELETE FROM instances WHERE status = 'failed'",
      ),
    kind: 'journal_mismatch',
    seq: (log) =>
      Number(
        log.get(
          "SELECT min(seq) AS n FROM audit WHERE type = 'run.started' AND instance = (SELECT id FROM instances WHERE status = 'failed')",
        )['n'],
      ),
  },
  {
    name: 'a run that never was',
    act: (log) =>
      log.sql(
        "CREATE TEMP TABLE t AS SELECT * FROM instances LIMIT 1; UPDATE t SET id = 'zzz'; INSERT INTO instances SELECT * FROM t",
      ),
    kind: 'state_mismatch',
    seq: null,
  },
  {
    name: 'a kept version that is said to be another definition',
    act: (log) => log.sql("UPDATE versions SET registered_by = 'eve', version = '9.9.9'"),
    kind: 'state_mismatch',
    seq: null,
  },
  {
    name: 'a kept version that nobody registered',
    act: (log) =>
      log.sql(
        "INSERT INTO versions SELECT workflow, number + 1, (SELECT pins_hash FROM instances LIMIT 1), version, source, registered_at, registered_by FROM versions WHERE workflow = 'fine'",
      ),
    kind: 'state_mismatch',
    seq: null,
  },
  {
    name: 'a kept version deleted',
    act: (log) => log.sql("DELETE FROM versions WHERE workflow = 'fine'"),
    kind: 'state_mismatch',
    seq: null,
  },
  {
    name: 'a schedule that starts as somebody else',
    act: (log) =>
      log.sql("UPDATE registrations SET starter = replace(starter, 'person', 'nosrep') WHERE name = 'tick'"),
    kind: 'state_mismatch',
    seq: null,
  },
  {
    name: 'a schedule paused',
    act: (log) =>
      log.sql("UPDATE schedules SET paused_at = 1, paused_by = 'person eve' WHERE workflow = 'yearly'"),
    kind: 'state_mismatch',
    seq: null,
  },
  {
    name: 'a pause of a schedule taken away',
    act: (log) => log.sql("UPDATE schedules SET paused_at = NULL, paused_by = NULL WHERE workflow = 'tick'"),
    kind: 'state_mismatch',
    seq: null,
  },
  {
    name: 'a schedule that skips what comes',
    act: (log) =>
      log.sql("UPDATE schedules SET decided_to = decided_to + 86400000 WHERE workflow = 'yearly'"),
    kind: 'state_mismatch',
    seq: null,
  },
  {
    name: 'a schedule deleted',
    act: (log) => log.sql("DELETE FROM schedules WHERE workflow = 'yearly'"),
    kind: 'state_mismatch',
    seq: null,
  },
  {
    name: 'a schedule that nobody registered',
    act: (log) =>
      log.sql(
        "INSERT INTO schedules SELECT 'fine', decided_to, NULL, NULL FROM schedules WHERE workflow = 'yearly'",
      ),
    kind: 'state_mismatch',
    seq: null,
  },
  {
    name: 'a fire deleted',
    act: (log) =>
      log.sql(
        "DELETE FROM fires WHERE workflow = 'tick' AND at = (SELECT min(at) FROM fires WHERE workflow = 'tick')",
      ),
    kind: 'state_mismatch',
    seq: (log) => firstOf(log, 'schedule.fired'),
  },
  {
    name: 'a fire of another instance',
    act: (log) =>
      log.sql(
        "UPDATE fires SET instance = (SELECT id FROM instances WHERE id IS NOT fires.instance LIMIT 1) WHERE workflow = 'tick' AND at = (SELECT min(at) FROM fires WHERE workflow = 'tick')",
      ),
    kind: 'state_mismatch',
    seq: (log) => firstOf(log, 'schedule.fired'),
  },
  {
    name: 'a fire that was refused instead',
    act: (log) =>
      log.sql(
        "UPDATE fires SET status = 'refused', reason = 'x' WHERE workflow = 'tick' AND at = (SELECT min(at) FROM fires WHERE workflow = 'tick')",
      ),
    kind: 'state_mismatch',
    seq: (log) => firstOf(log, 'schedule.fired'),
  },
  {
    name: 'a fire that nobody decided',
    act: (log) => log.sql("INSERT INTO fires VALUES ('tick', 1, 'skipped', NULL, NULL, 1)"),
    kind: 'state_mismatch',
    seq: null,
  },
  {
    name: 'a registration edited',
    act: (log) => log.sql("UPDATE registrations SET source = '/tmp/x'"),
    kind: 'state_mismatch',
    seq: null,
  },
  {
    name: 'a definition edited',
    act: (log) =>
      log.sql(
        "UPDATE documents SET body = replace(body, 'say', 'fail') WHERE hash IN (SELECT definition_hash FROM registrations)",
      ),
    kind: 'document_mismatch',
    seq: null,
  },
  {
    name: 'a definition deleted that is registered',
    act: (log) => log.sql('DELETE FROM documents WHERE hash IN (SELECT definition_hash FROM registrations)'),
    kind: 'document_mismatch',
    seq: null,
  },
  {
    name: 'the pins of a run deleted',
    act: (log) => log.sql('DELETE FROM documents WHERE hash IN (SELECT pins_hash FROM instances)'),
    kind: 'document_mismatch',
    seq: null,
  },
  {
    name: 'a registration that nobody made',
    act: (log) =>
      log.sql(
        "INSERT INTO registrations SELECT 'other', version, definition_hash, source, registered_at, starter FROM registrations LIMIT 1",
      ),
    kind: 'state_mismatch',
    seq: null,
  },
  {
    name: 'an event below the first one',
    act: (log) =>
      log.sql('INSERT INTO events SELECT instance, 0, incarnation, at, body FROM events WHERE seq = 1'),
    kind: 'journal_mismatch',
    seq: null,
  },
  {
    name: 'a signature with a blank behind it',
    act: (log) => log.sql("UPDATE audit_checkpoints SET signature = signature || ' ' WHERE number = 2"),
    kind: 'checkpoint_edited',
    seq: (log) => checkpointAt(log, '2'),
  },
  {
    name: 'an approval that somebody else is said to have given',
    act: (log) => log.sql("UPDATE approvals SET decided_by = 'person eve'"),
    kind: 'state_mismatch',
    seq: (log) => firstOf(log, 'approval.granted'),
  },
  {
    name: 'an approval that shows something else',
    act: (log) => log.sql("UPDATE approvals SET request = replace(request, 'go on?', 'stop?')"),
    kind: 'state_mismatch',
    seq: (log) => firstOf(log, 'approval.granted'),
  },
  {
    name: 'an approval with a reason that nobody gave',
    act: (log) => log.sql("UPDATE approvals SET reason = 'looked at it'"),
    kind: 'state_mismatch',
    seq: (log) => firstOf(log, 'approval.granted'),
  },
  {
    name: 'an approval that counts no more, though the run was not opened again',
    act: (log) => log.sql('UPDATE approvals SET void_at = decided_at'),
    kind: 'state_mismatch',
    seq: (log) => firstOf(log, 'approval.granted'),
  },
  {
    name: 'an approval made a denial',
    act: (log) => log.sql("UPDATE approvals SET status = 'denied'"),
    kind: 'state_mismatch',
    seq: (log) => firstOf(log, 'approval.granted'),
  },
  {
    name: 'an approval for other arguments',
    act: (log) => log.sql("UPDATE approvals SET args_hash = 'x'"),
    kind: 'state_mismatch',
    seq: (log) => firstOf(log, 'approval.granted'),
  },
  {
    name: 'an approval that holds longer',
    act: (log) => log.sql('UPDATE approvals SET expires_at = expires_at + 1'),
    kind: 'state_mismatch',
    seq: (log) => firstOf(log, 'approval.granted'),
  },
  {
    name: 'an approval that nobody asked for',
    act: (log) => log.sql('UPDATE approvals SET number = 7'),
    kind: 'state_mismatch',
    seq: (log) => firstOf(log, 'approval.granted'),
  },
  {
    name: 'an approval deleted',
    act: (log) => log.sql('DELETE FROM approvals'),
    kind: 'state_mismatch',
    seq: (log) => firstOf(log, 'approval.granted'),
  },
  {
    name: 'a kill switch deleted',
    act: (log) => log.sql('DELETE FROM kill_latches'),
    kind: 'state_mismatch',
    seq: (log) => firstOf(log, 'kill.tripped'),
  },
  {
    name: 'a kill switch for something else',
    act: (log) => log.sql("UPDATE kill_latches SET scope = 'workflow:zzz'"),
    kind: 'state_mismatch',
    seq: (log) => firstOf(log, 'kill.tripped'),
  },
  {
    name: 'a kill switch with another reason',
    act: (log) => log.sql("UPDATE kill_latches SET reason = 'fine'"),
    kind: 'state_mismatch',
    seq: (log) => firstOf(log, 'kill.tripped'),
  },
  {
    name: 'a kill switch that nobody tripped',
    act: (log) => log.sql("INSERT INTO kill_latches VALUES ('global', 'kill', 'x', 'person eve', 1)"),
    kind: 'state_mismatch',
    seq: null,
  },
  {
    name: 'a record below the first one',
    act: (log) =>
      log.sql(
        'INSERT INTO audit (seq, type, at, instance, body, hash, seal) SELECT -5, type, at, instance, body, hash, seal FROM audit WHERE seq = 6',
      ),
    kind: 'inserted',
    seq: -5,
  },
  {
    name: 'the table of checkpoints taken away with the key, as in an older version',
    act: (log) => {
      for (const { name } of [
        { name: 'audit_checkpoints_no_update' },
        { name: 'audit_checkpoints_no_delete' },
        { name: 'audit_checkpoints_append_only' },
      ])
        log.bare(`DROP TRIGGER ${name}`);
      log.bare("DROP TABLE audit_checkpoints; DELETE FROM meta WHERE key = 'audit_key'");
    },
    kind: 'checkpoint_missing',
    seq: 1,
  },
  {
    name: 'a record added with a chain that fits, the key gone',
    act: (log) => {
      const head = log.get('SELECT seq, body, hash FROM audit ORDER BY seq DESC LIMIT 1');
      const { binds: _, ...said } = JSON.parse(String(head['body']));
      const body = canonicalJson({ ...said, seq: Number(head['seq']) + 1 });
      const hash = sha256(String(head['hash']) + body);
      log.sql(`INSERT INTO audit (seq, type, at, instance, body, hash, seal)
        SELECT seq + 1, type, at, instance, '${body.replaceAll("'", "''")}', '${hash}', seal FROM audit ORDER BY seq DESC LIMIT 1`);
      rmSync(log.key);
    },
    verdict: 'unknown',
    kind: null,
    seq: null,
  },
  {
    name: 'records added that another key seals, which was put in the place of ours',
    act: (log) => {
      const { privateKey } = generateKeyPairSync('ed25519');
      writeFileSync(log.key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
      const key = readKey(dirname(log.key), idOf(log));
      if (key === null) throw new Error('there is no key');
      addKeyChange(log, key.publicKey, (hash) => key.seal(hash));
      log.sql(`UPDATE meta SET value = '${key.publicKey}' WHERE key = 'audit_key'`);
    },
    verdict: 'unknown',
    kind: null,
    seq: null,
  },
  {
    name: 'a change of the key that none sealed',
    act: (log) => addKeyChange(log, readKey(dirname(log.key), idOf(log))?.publicKey ?? '', () => 'x'),
    kind: 'forged',
    seq: (log) => last(log) + 1,
  },
  {
    name: 'a change to a key that is not here',
    act: (log) => addKeyChange(log, stranger().publicKey, () => 'x'),
    verdict: 'unknown',
    kind: null,
    seq: null,
  },
  {
    name: 'the key at the head of the anchor replaced',
    act: (log) =>
      log.writeAnchor(
        log
          .anchorLines()
          .map((line) => line.replace(/^(\{"anchor".*ed25519:)[\w-]{43}/, `$1${'A'.repeat(43)}`)),
      ),
    kind: 'anchor_edited',
    seq: null,
  },
  {
    name: 'a trigger that never refuses',
    act: (log) =>
      log.bare(
        "DROP TRIGGER audit_no_update; CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit WHEN 0 BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END",
      ),
    kind: 'trigger_missing',
    seq: null,
  },
  {
    name: 'a trigger that has its words in a comment alone',
    act: (log) =>
      log.bare(
        "DROP TRIGGER audit_no_update; CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT 1; /* RAISE(ABORT, 'audit rows are never changed') */ END",
      ),
    kind: 'trigger_missing',
    seq: null,
  },
  {
    name: 'a trigger that looks at another table',
    act: (log) =>
      log.bare(
        "DROP TRIGGER audit_no_delete; CREATE TRIGGER audit_no_delete BEFORE DELETE ON meta BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END",
      ),
    kind: 'trigger_missing',
    seq: null,
  },
  {
    name: 'a trigger that takes kill switches away as soon as they are tripped',
    act: (log) =>
      log.bare('CREATE TRIGGER quiet AFTER INSERT ON kill_latches BEGIN DELETE FROM kill_latches; END'),
    kind: 'trigger_added',
    seq: null,
  },
  {
    name: 'a trigger taken away',
    act: (log) => log.bare('DROP TRIGGER audit_no_update'),
    kind: 'trigger_missing',
    seq: null,
  },
  {
    name: 'a trigger of versions taken away',
    act: (log) => log.bare('DROP TRIGGER versions_no_delete'),
    kind: 'trigger_missing',
    seq: null,
  },
  {
    name: 'a database from before versions were kept',
    act: (log) => log.bare('DROP TABLE versions'),
    verdict: 'intact',
    kind: null,
    seq: null,
  },
  {
    name: 'a trigger that refuses nothing',
    act: (log) =>
      log.bare(
        'DROP TRIGGER audit_no_update; CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT 1; END',
      ),
    kind: 'trigger_missing',
    seq: null,
  },
  {
    name: 'a database that is none',
    act: (log) => writeFileSync(log.file, 'x'.repeat(8192)),
    kind: 'database_corrupt',
    seq: null,
  },
  {
    name: 'a page of zeros',
    act: (log) => {
      log.bare('PRAGMA wal_checkpoint(TRUNCATE)');
      const { rootpage } = log.get("SELECT rootpage FROM sqlite_schema WHERE name = 'audit'");
      writeZeros(log.file, (Number(rootpage) - 1) * 4096);
    },
    kind: 'database_corrupt',
    seq: null,
  },
];

function writeZeros(file: string, at: number): void {
  const descriptor = openSync(file, 'r+');
  try {
    writeSync(descriptor, Buffer.alloc(4096), 0, 4096, at);
  } finally {
    closeSync(descriptor);
  }
}
