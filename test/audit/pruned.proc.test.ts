import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { canonicalJson } from '../../src/audit/canonical.ts';
import { VERDICT_EXIT } from '../../src/audit/verify/verdict.ts';
import type { VerifyReport } from '../../src/audit/verify/verify.ts';
import { cutAnchor, pruneLog } from './pruned-log.ts';
import { type LogCopy, makeRealLog, type RealLog } from './real-log.ts';
import { shownPlaces } from './shown-places.ts';

interface Tampering {
  readonly name: string;
  readonly act: (log: LogCopy) => void;
  readonly verdict?: 'intact' | 'unknown';
  /** Of any problem that both verifiers name. */
  readonly kind?: string;
}

const first = (log: LogCopy): number => Number(log.get('SELECT min(seq) AS n FROM audit')['n']);
const last = (log: LogCopy): number => Number(log.get('SELECT max(seq) AS n FROM audit')['n']);
const of = (log: LogCopy, type: string): number =>
  Number(log.get(`SELECT max(seq) AS n FROM audit WHERE type = '${type}'`)['n']);
const firstKept = (log: LogCopy): number =>
  Number(log.get('SELECT min(number) AS n FROM audit_checkpoints')['n']);
const anchorLines = (log: LogCopy): string[] => readFileSync(log.anchor, 'utf8').trimEnd().split('\n');
/** NaN for a line that names a key. */
const numberOf = (line: string): number => Number(/"number":(\d+)/.exec(line)?.[1]);
const EDIT = `body = replace(body, '"severity":"info"', '"severity":"none"')`;
const sql =
  (text: string): Tampering['act'] =>
  (log) =>
    log.sql(text);
const cutTail = (log: LogCopy, count: number): void => {
  const end = last(log) - count;
  log.sql(`DELETE FROM audit WHERE seq > ${end}; DELETE FROM audit_checkpoints WHERE seq > ${end}`);
};
/** A segment from the first record to one, signed by a key that is not the log's. */
const forgeSegment = (log: LogCopy, end: number): void => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const body = JSON.parse(
    String(log.get('SELECT body FROM audit_segments WHERE number = 1')['body']),
  ) as object;
  const { hash } = log.get(`SELECT hash FROM audit WHERE seq = ${end}`);
  const key = `ed25519:${String(privateKey.export({ format: 'jwk' }).x)}`;
  const text = canonicalJson({ ...body, last: end, hash, key });
  const signature = sign(null, Buffer.from(text), privateKey).toString('base64url');
  log.sql(`DELETE FROM audit_segments;
    INSERT INTO audit_segments VALUES (1, 1, ${end}, '${text}', '${signature}');
    DELETE FROM audit WHERE seq <= ${end}; UPDATE audit_heads SET last = ${end}`);
};

const TAMPERINGS: readonly Tampering[] = [
  { name: 'nothing', act: () => undefined, verdict: 'intact' },
  {
    name: 'the first record that is left edited',
    act: (log) => log.sql(`UPDATE audit SET ${EDIT} WHERE seq = ${first(log)}`),
    kind: 'edited',
  },
  {
    name: 'a record edited and all hashes made anew',
    act: (log) => {
      const at = of(log, 'test.said') - 3;
      log.sql(`UPDATE audit SET ${EDIT} WHERE seq = ${at}`);
      log.rehash(first(log) + 1);
    },
  },
  {
    name: 'a record deleted',
    act: (log) => log.sql(`DELETE FROM audit WHERE seq = ${first(log) + 1}`),
    kind: 'missing',
  },
  {
    name: 'two records swapped',
    act: (log) => {
      const [a, b] = [first(log) + 1, first(log) + 3];
      log.sql(`CREATE TEMP TABLE t AS SELECT * FROM audit WHERE seq IN (${a}, ${b});
        UPDATE audit SET body = (SELECT body FROM t WHERE seq = ${b}), hash = (SELECT hash FROM t WHERE seq = ${b}), seal = (SELECT seal FROM t WHERE seq = ${b}), type = (SELECT type FROM t WHERE seq = ${b}), at = (SELECT at FROM t WHERE seq = ${b}) WHERE seq = ${a};
        UPDATE audit SET body = (SELECT body FROM t WHERE seq = ${a}), hash = (SELECT hash FROM t WHERE seq = ${a}), seal = (SELECT seal FROM t WHERE seq = ${a}), type = (SELECT type FROM t WHERE seq = ${a}), at = (SELECT at FROM t WHERE seq = ${a}) WHERE seq = ${b}`);
    },
  },
  { name: 'all records deleted', act: sql('DELETE FROM audit') },
  {
    name: 'all records and checkpoints deleted',
    act: sql('DELETE FROM audit; DELETE FROM audit_checkpoints'),
  },
  {
    name: 'all records, checkpoints, segments and heads deleted',
    act: sql(
      'DELETE FROM audit; DELETE FROM audit_checkpoints; DELETE FROM audit_segments; DELETE FROM audit_heads',
    ),
  },
  { name: 'the tail cut with its checkpoint', act: (log) => cutTail(log, 2) },
  {
    name: 'the tail cut behind the last checkpoint',
    act: (log) => log.sql(`DELETE FROM audit WHERE seq > ${last(log) - 1}`),
  },
  {
    name: 'the tail cut with its checkpoint, in the anchor too',
    act: (log) => {
      cutTail(log, 2);
      cutAnchor(log, 1);
    },
  },
  {
    name: 'the record of the pruning cut off with all behind it, in the anchor too',
    act: (log) => {
      cutTail(log, last(log) - of(log, 'audit.pruned') + 1);
      cutAnchor(log, 2);
    },
  },
  {
    name: 'the record of the pruning deleted',
    act: (log) => log.sql("DELETE FROM audit WHERE type = 'audit.pruned'"),
  },
  {
    name: 'the record of the pruning edited',
    act: (log) =>
      log.sql(
        `UPDATE audit SET body = replace(body, '"segment":1', '"segment":2') WHERE type = 'audit.pruned'`,
      ),
  },
  {
    name: 'the record of a seal deleted',
    act: (log) => log.sql(`DELETE FROM audit WHERE seq = ${of(log, 'audit.sealed')}`),
  },
  {
    name: 'more deleted than was pruned',
    act: (log) => log.sql(`DELETE FROM audit WHERE seq <= ${first(log)}`),
    kind: 'missing',
  },
  {
    name: 'all of the next segment deleted, and the heads said to be of there',
    act: (log) => {
      const end = Number(log.get('SELECT last AS n FROM audit_segments WHERE number = 2')['n']);
      log.sql(`DELETE FROM audit WHERE seq <= ${end}; UPDATE audit_heads SET last = ${end}`);
    },
  },
  {
    name: 'the pruned segment deleted',
    act: sql('DELETE FROM audit_segments WHERE number = 1'),
    kind: 'segment_edited',
  },
  {
    name: 'a segment deleted of which the records are here',
    act: sql('DELETE FROM audit_segments WHERE number = 2'),
    kind: 'segment_edited',
  },
  {
    name: 'the last segment deleted',
    act: sql('DELETE FROM audit_segments WHERE number = (SELECT max(number) FROM audit_segments)'),
    kind: 'segment_edited',
  },
  { name: 'all segments deleted', act: sql('DELETE FROM audit_segments') },
  {
    name: 'a segment edited',
    act: sql(`UPDATE audit_segments SET body = replace(body, '"bytes":', '"bytes":1') WHERE number = 2`),
    kind: 'segment_edited',
  },
  {
    name: 'the signature of a segment edited',
    act: sql("UPDATE audit_segments SET signature = 'AA' || substr(signature, 3) WHERE number = 1"),
    kind: 'segment_edited',
  },
  {
    name: 'two segments swapped',
    act: sql(
      `UPDATE audit_segments SET number = 9 WHERE number = 1; UPDATE audit_segments SET number = 1 WHERE number = 2; UPDATE audit_segments SET number = 2 WHERE number = 9`,
    ),
    kind: 'segment_edited',
  },
  {
    name: 'a segment of another key in place of all, and the records below it deleted',
    act: (log) => forgeSegment(log, of(log, 'audit.sealed') - 2),
  },
  {
    name: 'the heads edited',
    act: sql(`UPDATE audit_heads SET body = replace(body, '"instances"', '"instancez"')`),
    kind: 'state_mismatch',
  },
  { name: 'the heads deleted', act: sql('DELETE FROM audit_heads'), kind: 'state_mismatch' },
  { name: 'the heads moved', act: sql('UPDATE audit_heads SET last = last + 1'), kind: 'state_mismatch' },
  {
    name: 'a payload edited',
    act: sql(`UPDATE audit_payloads SET body = '[99]' WHERE body = '[2]'`),
    kind: 'payload_mismatch',
  },
  {
    name: 'a payload deleted',
    act: sql(`DELETE FROM audit_payloads WHERE body = '[2]'`),
    kind: 'payload_mismatch',
  },
  {
    name: 'a payload erased without a record',
    act: sql(`UPDATE audit_payloads SET body = NULL, erased_at = 1 WHERE body = '[2]'`),
    kind: 'payload_mismatch',
  },
  {
    name: 'who approved, of a record that was pruned',
    act: sql(`UPDATE approvals SET decided_by = 'somebody'`),
    kind: 'state_mismatch',
  },
  {
    name: 'what was approved, of a record that was pruned',
    act: sql(`UPDATE approvals SET args_hash = '${'0'.repeat(64)}'`),
    kind: 'state_mismatch',
  },
  { name: 'an approval deleted', act: sql('DELETE FROM approvals'), kind: 'state_mismatch' },
  {
    name: 'an approval more',
    act: sql(
      `INSERT INTO approvals SELECT instance, number + 1, subject, args_hash, request, requested_at, expires_at, status, decided_at, decided_by, reason, answered_at, void_at FROM approvals`,
    ),
    kind: 'state_mismatch',
  },
  { name: 'a kill switch deleted', act: sql('DELETE FROM kill_latches'), kind: 'state_mismatch' },
  {
    name: 'a kill switch weakened',
    act: sql("UPDATE kill_latches SET mode = 'stop', reason = 'never'"),
    kind: 'state_mismatch',
  },
  {
    name: 'a kill switch moved to another scope',
    act: sql("UPDATE kill_latches SET scope = 'workflow:else'"),
    kind: 'state_mismatch',
  },
  {
    name: 'the status of a run',
    act: sql("UPDATE instances SET status = 'failed' WHERE status = 'completed'"),
    kind: 'state_mismatch',
  },
  { name: 'a run deleted', act: sql('DELETE FROM events; DELETE FROM approvals; DELETE FROM instances') },
  {
    name: 'an event of a run edited',
    act: sql('UPDATE events SET at = at + 1 WHERE seq = 1'),
    kind: 'journal_mismatch',
  },
  {
    name: 'an event of a run deleted',
    act: sql('DELETE FROM events WHERE seq = 2'),
    kind: 'journal_mismatch',
  },
  {
    name: 'a registration edited',
    act: sql("UPDATE registrations SET source = '/elsewhere'"),
    kind: 'state_mismatch',
  },
  { name: 'a registration deleted', act: sql('DELETE FROM registrations'), kind: 'state_mismatch' },
  { name: 'a document edited', act: sql(`UPDATE documents SET body = replace(body, 'hi', 'ho')`) },
  { name: 'the trigger against deleting gone', act: (log) => log.bare('DROP TRIGGER audit_no_delete') },
  {
    name: 'the trigger of the segments gone',
    act: (log) => log.bare('DROP TRIGGER audit_segments_no_update'),
  },
  { name: 'the anchor cut', act: (log) => cutAnchor(log, 2), kind: 'anchor_cut' },
  {
    name: 'a checkpoint more deleted than was pruned',
    act: sql('DELETE FROM audit_checkpoints WHERE number = (SELECT min(number) FROM audit_checkpoints)'),
    kind: 'checkpoint_missing',
  },
  {
    name: 'the first checkpoint that is left edited',
    act: sql(`UPDATE audit_checkpoints SET body = replace(body, '"v":1', '"v":2')
      WHERE number = (SELECT min(number) FROM audit_checkpoints)`),
    kind: 'checkpoint_edited',
  },
  { name: 'all checkpoints deleted', act: sql('DELETE FROM audit_checkpoints') },
  {
    name: 'the trigger of the checkpoints gone',
    act: (log) => log.bare('DROP TRIGGER audit_checkpoints_no_delete'),
    kind: 'trigger_missing',
  },
  {
    name: 'the anchor without the checkpoints that were pruned',
    act: (log) =>
      log.writeAnchor(
        anchorLines(log).filter((line) => !line.includes('"checkpoint"') || numberOf(line) >= firstKept(log)),
      ),
    verdict: 'intact',
  },
  {
    name: 'the anchor without those and the first that is left',
    act: (log) =>
      log.writeAnchor(
        anchorLines(log).filter((line) => !line.includes('"checkpoint"') || numberOf(line) > firstKept(log)),
      ),
    kind: 'anchor_cut',
  },
  {
    name: 'the anchor without one of those that were pruned',
    act: (log) => log.writeAnchor(anchorLines(log).filter((line) => numberOf(line) !== 2)),
    kind: 'anchor_cut',
  },
  {
    name: 'the anchor with one of those edited',
    act: (log) =>
      log.writeAnchor(
        anchorLines(log).map((line) => (numberOf(line) === 2 ? line.replace('"v":1', '"v":2') : line)),
      ),
    kind: 'anchor_edited',
  },
  { name: 'the anchor emptied', act: (log) => log.writeAnchor([]), verdict: 'unknown' },
];

describe('of a log that was pruned, verify finds', { timeout: 300_000 }, () => {
  let real: RealLog;
  before(async () => {
    real = await makeRealLog();
  });
  after(() => real.close());

  test('no checkpoint of what was pruned but the last, which the anchor has all of', () => {
    const log = real.copy();
    try {
      pruneLog(log);
      const kept = firstKept(log);
      assert.ok(kept > 2, `checkpoint ${kept}`);
      const { seq } = log.get(`SELECT seq FROM audit_checkpoints WHERE number = ${kept}`);
      assert.ok(Number(seq) < first(log));
      assert.equal(log.get(`SELECT count(*) AS n FROM audit_checkpoints WHERE seq < ${first(log)}`)['n'], 1);
      assert.deepEqual(anchorLines(log).map(numberOf).slice(1, 3), [1, 2]);
    } finally {
      log.close();
    }
  });

  for (const { name, act, verdict = 'tampered', kind } of TAMPERINGS)
    test(`${name}: ${verdict}`, async () => {
      const log = real.copy();
      try {
        pruneLog(log);
        act(log);
        const report = log.verify();
        const alone = await log.verifyAlone();
        const other = JSON.parse(alone.stdout) as VerifyReport;
        const shown = JSON.stringify(report.problems.slice(0, 5));
        assert.equal(report.verdict, verdict, shown);
        if (kind !== undefined)
          assert.ok(
            report.problems.some((each) => each.kind === kind),
            shown,
          );
        assert.equal(alone.status, VERDICT_EXIT[verdict], alone.stderr);
        assert.deepEqual(shownPlaces(other), shownPlaces(report));
      } finally {
        log.close();
      }
    });
});
