import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { VERDICT_EXIT } from '../../src/audit/verify/verdict.ts';
import type { VerifyReport } from '../../src/audit/verify/verify.ts';
import { makeRealLog, type RealLog } from './real-log.ts';
import { shownPlaces } from './shown-places.ts';
import { TAMPERINGS } from './tampering.ts';

describe('verify finds', { timeout: 300_000 }, () => {
  let real: RealLog;
  before(async () => {
    real = await makeRealLog();
  });
  after(() => real.close());

  for (const { name, act, verdict = 'tampered', kind, seq, through } of TAMPERINGS)
    test(`${name}: ${verdict}`, async () => {
      const log = real.copy();
      try {
        const at = typeof seq === 'function' ? seq(log) : seq;
        const end = through?.(log);
        act(log);
        const report = log.verify();
        const first = report.first_bad;
        assert.deepEqual(
          [report.verdict, first?.kind ?? null, first?.seq ?? null],
          [verdict, kind, at],
          JSON.stringify(report.problems.slice(0, 5)),
        );
        if (end !== undefined) assert.equal(first?.through, end);
        const alone = await log.verifyAlone();
        const other = JSON.parse(alone.stdout) as VerifyReport;
        assert.equal(alone.status, VERDICT_EXIT[verdict], alone.stderr);
        assert.deepEqual(
          [
            other.verdict,
            other.first_bad?.kind ?? null,
            other.first_bad?.seq ?? null,
            other.first_bad?.through,
          ],
          [report.verdict, first?.kind ?? null, first?.seq ?? null, first?.through],
        );
        // Each sees every place that the other sees.
        assert.deepEqual(shownPlaces(other), shownPlaces(report));
      } finally {
        log.close();
      }
    });
});
