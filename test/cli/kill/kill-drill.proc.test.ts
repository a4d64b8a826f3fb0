import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import type { InstanceSummary } from '../../../src/protocol/control.ts';
import type { DrillEvidence } from '../../../src/protocol/guard-documents.ts';
import { type Bench, eventually, finish, openBench } from '../../setup/bench-home.ts';
import { assertNothingLeft, processesOf } from '../../setup/leftovers.ts';

describe('kill drill', { timeout: 120_000 }, () => {
  let bench: Bench;
  let temporary: string;
  before(() => {
    bench = openBench();
    // Folders of the drills alone.
    temporary = join(bench.workspace, 'tmp');
    mkdirSync(temporary);
  });
  after(() => bench.close());

  const drill = async (env: NodeJS.ProcessEnv = {}) => {
    const done = await bench.qWith({ TMPDIR: temporary, ...env }, 'kill', 'drill', '--json');
    return { ...done, evidence: JSON.parse(done.stdout) as DrillEvidence };
  };
  const health = async (): Promise<unknown> => {
    const { checks } = (await bench.json('doctor')) as { checks: { name: string }[] };
    return checks.find(({ name }) => name === 'kill drill');
  };
  const evidenceInAudit = (): unknown[] => {
    const database = new DatabaseSync(join(bench.home, 'q-workflow.db'), { readOnly: true });
    try {
      return database
        .prepare("SELECT body FROM audit WHERE type = 'kill.drilled' ORDER BY seq")
        .all()
        .map(({ body }) => (JSON.parse(String(body)) as { data: unknown }).data);
    } finally {
      database.close();
    }
  };
  /** Of canaries; Node keeps its compile cache there too. */
  const workspaces = (): string[] =>
    readdirSync(temporary).filter((name) => name.startsWith('q-workflow-drill-'));
  const nothingTripped = async (): Promise<void> => {
    assert.deepEqual(await bench.json('kill', 'status', '--verify'), { latches: [], running: [] });
    assert.deepEqual(workspaces(), []);
  };

  test('holds, leaves its evidence in the audit, and no process, switch or folder', async () => {
    assert.deepEqual(await health(), {
      name: 'kill drill',
      state: 'missing',
      detail: 'the kill switch was never drilled',
      fix: 'q workflow kill drill',
    });
    const { status, evidence, stderr } = await drill();
    assert.equal(status, 0, stderr);
    assert.deepEqual(
      evidence.checks.map(({ name, held }) => `${name} ${held}`),
      [
        'processes true',
        'carried out true',
        'reported empty true',
        'seen empty true',
        'run ended true',
        'resume refused true',
        'start of its step refused true',
        'permit refused true',
        'nothing started true',
        'nothing written true',
        're-armed true',
      ],
    );
    assert.ok(evidence.held && evidence.processes >= 5);
    assert.deepEqual(evidenceInAudit(), [evidence]);
    assertNothingLeft(evidence.id);
    await nothingTripped();
    const row = (await health()) as { state: string; detail: string };
    assert.equal(row.state, 'ok');
    assert.match(row.detail, /^held at \S+ \S+ UTC, less than a day ago$/);
  });

  test('a canary that cannot sing is no proof: status 1, and doctor says so', async () => {
    const { status, evidence } = await drill({ PATH: withoutSetsid() });
    assert.equal(status, 1);
    assert.equal(evidence.held, false);
    assert.deepEqual(evidence.checks, [
      { name: 'processes', held: false, detail: 'the canary ended before it was killed' },
    ]);
    assert.deepEqual(evidenceInAudit().at(-1), evidence);
    await nothingTripped();
    const row = (await health()) as { state: string; detail: string };
    assert.equal(row.state, 'missing');
    assert.match(row.detail, /failed; its evidence is in the audit \(kill\.drilled\)$/);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    test(`${signal} ends the canary and leaves nothing`, async () => {
      const before = evidenceInAudit().length;
      const known = new Set((await list()).map(({ id }) => id));
      const child = bench.start(['kill', 'drill', '--json'], { TMPDIR: temporary });
      const finished = finish(child);
      await eventually('the workspace of the canary', () => workspaces().length > 0, 20_000, 2);
      child.kill(signal);
      const { status, stdout } = await finished;
      assert.equal(status, 7, stdout);
      assert.deepEqual(JSON.parse(stdout), {
        error: {
          step: null,
          code: 'STOPPED',
          message: 'the drill was interrupted and proves nothing',
          hint: 'Its canary was ended. Run q workflow kill drill again.',
        },
      });
      await nothingTripped();
      const canaries = (await list()).filter(({ id }) => !known.has(id));
      assert.equal(canaries.length, 1);
      for (const { id, status: end } of canaries) {
        assert.equal(end, 'killed');
        assert.deepEqual(processesOf(id), []);
      }
      assert.equal(evidenceInAudit().length, before);
    });

  const list = async (): Promise<InstanceSummary[]> =>
    (await bench.json('status', '--all')) as InstanceSummary[];

  /** A PATH of all programs but one. */
  function withoutSetsid(): string {
    const folder = join(bench.workspace, 'bin');
    mkdirSync(folder);
    const done = new Set(['setsid']);
    for (const place of (process.env['PATH'] ?? '').split(delimiter).filter((each) => existsSync(each)))
      for (const name of readdirSync(place)) {
        if (!done.has(name)) symlinkSync(join(place, name), join(folder, name));
        done.add(name);
      }
    return folder;
  }
});
